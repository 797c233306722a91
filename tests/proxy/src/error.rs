//! Errors as each service says them, in its own protocol.

use serde_json::json;

use crate::call::{Call, Service};
use crate::http::{Headers, Response};

/// An error answer of the call's service.
///
/// `code` is the one of the API's documentation. SQS says it twice: as its shape, and as the older code in a header.
pub fn error(call: &Call, status: u16, code: &str, message: &str) -> Response {
    let mut headers = Headers::default();
    headers.set("x-amzn-RequestId", format!("fault-proxy-{:08}", call.number));
    let body = match call.service {
        Service::DynamoDb => {
            json_body(&mut headers, "1.0", &format!("com.amazonaws.dynamodb.v20120810#{code}"), message)
        }
        Service::Sqs => {
            headers.set("x-amzn-query-error", format!("{};Sender", query_code(code)));
            json_body(&mut headers, "1.0", &format!("com.amazonaws.sqs#{code}"), message)
        }
        Service::Logs | Service::Tagging | Service::Wafv2 => json_body(&mut headers, "1.1", code, message),
        Service::ApiGateway | Service::Lambda => {
            headers.set("Content-Type", "application/json");
            headers.set("x-amzn-ErrorType", code);
            json!({"message": message, "Message": message, "Type": "User"}).to_string().into_bytes()
        }
        Service::CloudWatch => {
            headers.set("Content-Type", "application/cbor");
            headers.set("smithy-protocol", "rpc-v2-cbor");
            cbor_map(&[("__type", &format!("com.amazonaws.cloudwatch#{code}")), ("message", message)])
        }
        Service::Iam | Service::Sns | Service::Sts | Service::Other => {
            headers.set("Content-Type", "text/xml");
            let kind = if status >= 500 { "Receiver" } else { "Sender" };
            format!(
                "<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message>{}</Message></Error>\
                 <RequestId>fault-proxy-{:08}</RequestId></ErrorResponse>",
                escaped(message),
                call.number
            )
            .into_bytes()
        }
    };
    Response { status, headers, body }
}

/// How the service says that it is called too often ("Real AWS behaviour" 1.1, and the error lists of the API references).
pub fn throttle(call: &Call) -> Response {
    let (status, code, message) = match call.service {
        Service::ApiGateway => (429, "TooManyRequestsException", "Too Many Requests"),
        Service::Lambda => (429, "TooManyRequestsException", "Rate exceeded"),
        Service::Iam | Service::Sts | Service::Other => (400, "Throttling", "Rate exceeded"),
        Service::Sns => (429, "Throttled", "Rate exceeded"),
        Service::Sqs => (400, "RequestThrottled", "Request is throttled."),
        Service::Tagging => (400, "ThrottledException", "Rate exceeded"),
        Service::CloudWatch | Service::DynamoDb | Service::Logs | Service::Wafv2 => {
            (400, "ThrottlingException", "Rate exceeded")
        }
    };
    error(call, status, code, message)
}

/// How the service says that it failed.
pub fn failure(call: &Call, status: u16) -> Response {
    let unavailable = status == 503;
    let code = match call.service {
        Service::ApiGateway | Service::Lambda => {
            if unavailable {
                "ServiceUnavailableException"
            } else {
                "ServiceException"
            }
        }
        Service::Logs if unavailable => "ServiceUnavailableException",
        Service::DynamoDb => "InternalServerError",
        Service::Wafv2 => "WAFInternalErrorException",
        Service::Tagging => "InternalServiceException",
        _ => {
            if unavailable {
                "ServiceUnavailable"
            } else {
                "InternalFailure"
            }
        }
    };
    error(call, status, code, "The service failed. Try again.")
}

fn json_body(headers: &mut Headers, version: &str, code: &str, message: &str) -> Vec<u8> {
    headers.set("Content-Type", format!("application/x-amz-json-{version}"));
    json!({"__type": code, "message": message, "Message": message}).to_string().into_bytes()
}

/// The code that SQS had before it spoke JSON, which the SDKs still go by.
fn query_code(code: &str) -> String {
    match code {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue".to_owned(),
        "QueueDeletedRecently" => "AWS.SimpleQueueService.QueueDeletedRecently".to_owned(),
        code => code.to_owned(),
    }
}

/// A map of texts in CBOR (RFC 8949): a map's and a text's head each carry their length.
fn cbor_map(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = vec![0xa0 | u8::try_from(fields.len()).unwrap_or(0)];
    for text in fields.iter().flat_map(|(name, value)| [name, value]) {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        bytes.push(0x79);
        bytes.extend(length.to_be_bytes());
        bytes.extend(&text.as_bytes()[..usize::from(length)]);
    }
    bytes
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
