//! What a smoke test asks of a deployed system: one request over HTTPS, one message, and whether something has arrived.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use crate::aws::error::{AwsError, During, ErrorClass};
use crate::aws::{Context, https};

/// What the API answered.
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// The value of an API key, which is a secret.
pub async fn key_value(cx: &Context, id: &str) -> Result<String, AwsError> {
    const GET: &str = "apigateway.GetApiKey";
    let key = cx.apigateway.get_api_key().api_key(id).include_value(true).send().await.during(GET)?;
    key.value.ok_or_else(|| AwsError::missing(GET, "value"))
}

/// Posts JSON. The connection is that of the SDK's calls: its TLS, its proxy.
///
/// # Errors
///
/// The address is none, or nothing answers there. A status of 400 and above is an answer.
pub async fn post(url: &str, key: Option<&str>, body: String) -> Result<Answer, AwsError> {
    const POST: &str = "POST";
    let invalid = |what: String| AwsError::new(POST, ErrorClass::Invalid, what);
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method(POST).map_err(|error| invalid(error.to_string()))?;
    request.set_uri(url).map_err(|error| invalid(format!("`{url}` is no address: {error}")))?;
    request.headers_mut().insert("content-type", "application/json");
    if let Some(key) = key {
        // What a header cannot hold is no key; its text is not to be repeated.
        let inserted = request.headers_mut().try_insert("x-api-key", key.to_owned());
        inserted.map_err(|_| invalid("the API key cannot be sent in a header".to_owned()))?;
    }
    let unreachable = |error: String| AwsError::new(POST, ErrorClass::Unreachable, format!("`{url}`: {error}"));
    let answer = https::connector(Duration::from_secs(60))
        .call(request)
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    let status = answer.status().as_u16();
    let body = ByteStream::new(answer.into_body()).collect().await.map_err(|error| unreachable(error.to_string()))?;
    Ok(Answer { status, body: String::from_utf8_lossy(&body.to_vec()).into_owned() })
}

/// Sends a message to a queue.
pub async fn send(cx: &Context, queue_url: &str, message: String) -> Result<(), AwsError> {
    let sent = cx.sqs.send_message().queue_url(queue_url).message_body(message).send().await;
    sent.during("sqs.SendMessage").map(drop)
}

/// Whether a table has an item under a partition key, with an attribute where one is asked for.
pub async fn has_item(
    cx: &Context,
    table: &str,
    key: &str,
    id: &str,
    attribute: Option<&str>,
) -> Result<bool, AwsError> {
    let query = cx
        .dynamodb
        .query()
        .table_name(table)
        .key_condition_expression("#key = :id")
        .expression_attribute_names("#key", key)
        .expression_attribute_values(":id", AttributeValue::S(id.to_owned()))
        .consistent_read(true);
    let found = query.send().await.during("dynamodb.Query")?;
    Ok(found.items().iter().any(|item| attribute.is_none_or(|name| item.contains_key(name))))
}
