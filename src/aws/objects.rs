//! One object of S3, read whole. All that is asked of S3 is this one GET, which is signed here: its SDK is larger than that.

use std::fmt;
use std::time::Duration;

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::byte_stream::ByteStream;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::aws::calls::Why;
use crate::aws::error::{AwsError, ErrorClass};
use crate::aws::wait::Patience;
use crate::aws::{Connection, Context, https};

/// Where an object is, and which one it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectLocation {
    pub bucket: String,
    pub key: String,
    pub version: Option<String>,
    /// What S3 says of the content, with or without quotation marks.
    pub etag: Option<String>,
}

impl fmt::Display for ObjectLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

const GET: &str = "s3.GetObject";
/// More than any document that a service imports.
pub const MOST_BYTES: usize = 10 * 1024 * 1024;
/// Of an answer that is an error.
const MOST_BYTES_OF_AN_ERROR: usize = 64 * 1024;
const BUCKET_REGION: &str = "x-amz-bucket-region";

/// Reads an object. A bucket of another region is asked where it is.
///
/// # Errors
///
/// There is no such object, or not that one; it may not be read; it is larger than 10 MB; or nobody answers for a minute.
pub async fn read(connection: &Connection, cx: &Context, object: &ObjectLocation) -> Result<Vec<u8>, AwsError> {
    let is_passing =
        |error: &AwsError| matches!(error.class, ErrorClass::Throttled | ErrorClass::Service | ErrorClass::Unreachable);
    let mut region = connection.scope.region.clone();
    for _ in 0..2 {
        let ask = || get(connection, cx, object, &region);
        match cx.while_passing(Patience::seconds(60), is_passing, ask).await? {
            Answer::Content(content) => return Ok(content),
            Answer::Elsewhere(other) => region = other,
        }
    }
    let message = format!("the bucket `{}` is in another region each time that it is asked", object.bucket);
    Err(AwsError::new(GET, ErrorClass::Invalid, message))
}

enum Answer {
    Content(Vec<u8>),
    /// The region that the bucket is in.
    Elsewhere(String),
}

async fn get(connection: &Connection, cx: &Context, object: &ObjectLocation, region: &str) -> Result<Answer, AwsError> {
    let url = url(connection.config.endpoint_url(), &connection.scope.partition, region, object)?;
    let request = signed(connection, cx, &url, region).await?;
    cx.calls.count("S3", "GetObject", Why::Asks);
    let unreachable = |_| AwsError::new(GET, ErrorClass::Unreachable, format!("nothing answers for `{object}`"));
    let answer = https::connector(Duration::from_secs(60)).call(request).await.map_err(unreachable)?;
    let header = |name: &str| answer.headers().get(name).unwrap_or_default().to_owned();
    let (status, elsewhere, etag) = (answer.status(), header(BUCKET_REGION), header("etag"));
    if status.is_success() {
        if object.etag.as_deref().is_some_and(|wanted| unquoted(wanted) != unquoted(&etag)) {
            let message = format!("the object `{object}` has the ETag {etag}, which is not the one that is asked for");
            return Err(AwsError::new(GET, ErrorClass::Invalid, message));
        }
        return content(answer, object, MOST_BYTES).await.map(Answer::Content);
    }
    if matches!(status.as_u16(), 301 | 307 | 400) && is_region(&elsewhere) && elsewhere != region {
        return Ok(Answer::Elsewhere(elsewhere));
    }
    let request_id = Some(header("x-amz-request-id")).filter(|id| !id.is_empty());
    let said = content(answer, object, MOST_BYTES_OF_AN_ERROR).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    Err(AwsError { request_id, ..refusal(&said, status.as_u16(), object) })
}

/// The request for an address, in the name of whoever runs this.
async fn signed(connection: &Connection, cx: &Context, url: &str, region: &str) -> Result<HttpRequest, AwsError> {
    let invalid = |what: &str| AwsError::new(GET, ErrorClass::Invalid, what);
    let nobody = |_| AwsError::new(GET, ErrorClass::Credentials, "there are no AWS credentials");
    let provider = connection.config.credentials_provider().ok_or(()).map_err(nobody)?;
    let identity: Identity = provider.provide_credentials().await.map_err(|_| nobody(()))?.into();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    let params = SigningParams::builder().identity(&identity).region(region).name("s3").settings(settings);
    let params = params.time(cx.clock.now().into()).build().map_err(|_| invalid("the request cannot be signed"))?;
    let mut request = HttpRequest::get(url).map_err(|_| invalid("its address is none"))?;
    let unsigned = SignableRequest::new("GET", url, std::iter::empty(), SignableBody::Bytes(&[]));
    let signed = unsigned.and_then(|unsigned| sign(unsigned, &params.into()));
    let (instructions, _) = signed.map_err(|_| invalid("the request cannot be signed"))?.into_parts();
    for (name, value) in instructions.headers() {
        let inserted = request.headers_mut().try_insert(name.to_owned(), value.to_owned());
        inserted.map_err(|_| invalid("the credentials cannot be sent"))?;
    }
    Ok(request)
}

/// A body, as far as it may go.
async fn content(answer: HttpResponse, object: &ObjectLocation, most: usize) -> Result<Vec<u8>, AwsError> {
    let mut body = ByteStream::new(answer.into_body());
    let mut content = Vec::new();
    while let Some(chunk) = body
        .try_next()
        .await
        .map_err(|_| AwsError::new(GET, ErrorClass::Unreachable, format!("the answer for `{object}` broke off")))?
    {
        if content.len() + chunk.len() > most {
            let message = format!("the object `{object}` is larger than {} MB", most / (1024 * 1024));
            return Err(AwsError::new(GET, ErrorClass::Invalid, message));
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}

/// What a key may hold as it is, in an address: what S3 signs itself ("Create a signed AWS API request").
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The bucket stands before the host, but where it has dots, for which no certificate is, and at an endpoint of one's own.
fn url(endpoint: Option<&str>, partition: &str, region: &str, object: &ObjectLocation) -> Result<String, AwsError> {
    let ObjectLocation { bucket, key, version, etag: _ } = object;
    let is_of_a_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '.' | '_');
    if bucket.is_empty() || !bucket.chars().all(is_of_a_name) {
        return Err(AwsError::new(GET, ErrorClass::Invalid, format!("`{bucket}` is no name of a bucket")));
    }
    let domain = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let host = match endpoint {
        Some(endpoint) => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
        None if bucket.contains(['.', '_']) => format!("https://s3.{region}.{domain}/{bucket}"),
        None => format!("https://{bucket}.s3.{region}.{domain}"),
    };
    let version = version.as_deref().map(|it| format!("?versionId={}", utf8_percent_encode(it, NON_ALPHANUMERIC)));
    Ok(format!("{host}/{}{}", utf8_percent_encode(key, PLAIN), version.unwrap_or_default()))
}

fn is_region(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-')
}

fn unquoted(etag: &str) -> &str {
    etag.trim_matches('"')
}

/// What S3 says in its XML.
fn refusal(said: &str, status: u16, object: &ObjectLocation) -> AwsError {
    let within = |name: &str| {
        let (_, rest) = said.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
    };
    let code = within("Code").unwrap_or_default();
    let message = match code.as_str() {
        "NoSuchBucket" => format!("there is no bucket `{}`", object.bucket),
        "NoSuchKey" => format!("there is no object `{object}`"),
        "NoSuchVersion" => format!("the object `{object}` has no such version"),
        "" => format!("S3 answers with the status {status} for `{object}`"),
        _ => within("Message").unwrap_or_default(),
    };
    AwsError::answered(GET, code, message, status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(bucket: &str, key: &str, version: Option<&str>) -> ObjectLocation {
        let version = version.map(str::to_owned);
        ObjectLocation { bucket: bucket.to_owned(), key: key.to_owned(), version, etag: None }
    }

    #[test]
    fn an_object_has_its_address() {
        let address = |endpoint, region, object| url(endpoint, "aws", region, &object).expect("an address");
        assert_eq!(
            address(None, "eu-west-1", object("apis", "orders/öpen api.yaml", Some("a/b"))),
            "https://apis.s3.eu-west-1.amazonaws.com/orders/%C3%B6pen%20api.yaml?versionId=a%2Fb"
        );
        let dotted = object("apis.example.com", "a?b#c", None);
        assert_eq!(
            address(None, "us-east-1", dotted.clone()),
            "https://s3.us-east-1.amazonaws.com/apis.example.com/a%3Fb%23c"
        );
        let local = address(Some("http://127.0.0.1:4566/"), "us-east-1", dotted);
        assert_eq!(local, "http://127.0.0.1:4566/apis.example.com/a%3Fb%23c");
        for bucket in ["", "a/b", "evil.com#"] {
            assert!(url(None, "aws", "us-east-1", &object(bucket, "a", None)).is_err(), "{bucket}");
        }
    }

    #[test]
    fn what_s3_refuses_is_said_in_words_for_people() {
        let missing = "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>The key.</Message></Error>";
        let missing = refusal(missing, 404, &object("apis", "a.yaml", None));
        assert_eq!(missing.class, ErrorClass::NotFound);
        assert_eq!(missing.message, "there is no object `s3://apis/a.yaml`");
        let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        assert_eq!(refusal(denied, 403, &object("apis", "a.yaml", None)).class, ErrorClass::Denied);
        assert_eq!(refusal("", 503, &object("apis", "a.yaml", None)).class, ErrorClass::Service);
    }
}
