//! The zips of functions and layers on their way to Lambda.
//!
//! Lambda takes a zip as base64 within JSON. Made in memory, that is the zip, its base64 and the body, each of up to 70 MB:
//! here the request is made around a stand-in, and the zip read from where it is while it is sent.

use std::io::{self, Read};
use std::iter::once;
use std::pin::Pin;
use std::task::{self, Poll};
use std::time::Duration;

use aws_runtime::auth::PayloadSigningOverride;
use aws_sdk_lambda::client::customize::CustomizableOperation;
use aws_sdk_lambda::config;
use aws_sdk_lambda::primitives::Blob;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::timeout::TimeoutConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http_body::{Body, Frame};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::aws::Context;
use crate::aws::error::{AwsError, ErrorClass};
use crate::digest::hexadecimal;
use crate::package::Content;

/// What stands for a zip in properties, in place of the template's path or source text.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Zip {
    /// What Lambda answers as `CodeSha256`.
    pub sha256: String,
}

impl Zip {
    /// The zip itself, to be sent with a request that has [`stand_in`] in its place.
    ///
    /// # Errors
    ///
    /// The zip is not there, or no longer what it was when it was planned.
    pub fn upload(&self, cx: &Context, operation: &'static str) -> Result<Upload, AwsError> {
        let invalid = |message| AwsError::new(operation, ErrorClass::Invalid, message);
        let content = cx
            .packages
            .get(&self.sha256)
            .ok_or_else(|| invalid(format!("the zip with the digest `{}` has not been packaged", self.sha256)))?;
        let digest = content.sha256_base64().map_err(|error| invalid(format!("the zip cannot be read: {error}")))?;
        if digest != self.sha256 {
            return Err(invalid("the zip has changed since it was planned: plan again".to_owned()));
        }
        Ok(Upload(content.clone()))
    }
}

/// A call that carries a zip. It gets time enough for the largest one on a slow line, where an attempt of others is given up
/// much earlier.
pub fn carrying<T, E, B>(call: CustomizableOperation<T, E, B>, zip: Upload) -> CustomizableOperation<T, E, B> {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(600)).build();
    call.config_override(config::Builder::new().timeout_config(timeouts)).interceptor(zip)
}

const STAND_IN: &str = "zip";

/// What a request has as its zip until an [`Upload`] takes its place.
pub fn stand_in() -> Blob {
    Blob::new(STAND_IN)
}

/// Puts a zip into a request, once it is made, a block at a time.
#[derive(Debug, Clone)]
pub struct Upload(Content);

impl Intercept for Upload {
    fn name(&self) -> &'static str {
        "Upload"
    }

    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let (before, after) =
            request.body().bytes().and_then(around_stand_in).ok_or("the request has no place for a zip")?;
        let (mut length, mut digest) = (0, Sha256::new());
        for block in blocks(&before, &self.0, &after) {
            let block = block?;
            length += block.len();
            digest.update(block);
        }
        request.headers_mut().insert("content-length", length.to_string());
        config.interceptor_state().store_put(PayloadSigningOverride::Precomputed(hexadecimal(&digest.finalize())));
        let content = self.0.clone();
        // Each attempt sends a body of its own.
        *request.body_mut() =
            SdkBody::retryable(move || SdkBody::from_body_1_x(Blocks(blocks(&before, &content, &after))));
        Ok(())
    }
}

/// What of a request's JSON stands before and after its zip.
fn around_stand_in(json: &[u8]) -> Option<(Bytes, Bytes)> {
    let (opening, zip) = ("\"ZipFile\":\"", BASE64.encode(STAND_IN));
    // Quotes within texts are escaped, so that no text can look like this.
    let field = [opening, &zip, "\""].concat();
    let at = json.windows(field.len()).position(|window| window == field.as_bytes())? + opening.len();
    Some((Bytes::copy_from_slice(&json[..at]), Bytes::copy_from_slice(&json[at + zip.len()..])))
}

/// The body: a zip as base64, and what is around it.
fn blocks(
    before: &Bytes,
    zip: &Content,
    after: &Bytes,
) -> impl Iterator<Item = io::Result<Bytes>> + Unpin + Send + Sync + use<> {
    let mut zip = zip.open();
    let encoded = std::iter::from_fn(move || encoded_block(&mut zip).transpose());
    once(Ok(before.clone())).chain(encoded).chain(once(Ok(after.clone())))
}

fn encoded_block(zip: &mut impl Read) -> io::Result<Option<Bytes>> {
    /// A multiple of three bytes becomes base64 without padding, and blocks can follow each other.
    const BLOCK_BYTES: u64 = 48 * 1024;
    let mut block = Vec::new();
    zip.take(BLOCK_BYTES).read_to_end(&mut block)?;
    Ok((!block.is_empty()).then(|| BASE64.encode(block).into()))
}

/// A body whose blocks are there when they are asked for.
struct Blocks<I>(I);

impl<I: Iterator<Item = io::Result<Bytes>> + Unpin> Body for Blocks<I> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(self.get_mut().0.next().map(|block| block.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::SystemTime;

    use aws_config::{BehaviorVersion, Region, SdkConfig};
    use aws_sdk_lambda::config::{Credentials, SharedCredentialsProvider};
    use aws_sdk_lambda::types::FunctionCode;
    use aws_smithy_async::time::StaticTimeSource;
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::byte_stream::ByteStream;

    use super::*;

    /// Keeps what it is sent, throttles the first call, and takes all others.
    #[derive(Debug, Clone, Default)]
    struct Lambda(Arc<Mutex<Vec<HttpRequest>>>);

    const HELD: &str = "no test goes on after a panic under this lock";

    impl HttpConnector for Lambda {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let mut sent = self.0.lock().expect(HELD);
            let status = if sent.is_empty() { 503 } else { 201 };
            sent.push(request);
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().expect("a status"), SdkBody::from("{}"))))
        }
    }

    /// Signature, length and body of each attempt at creating a function.
    async fn created_with(zip: Blob, upload: Option<Upload>) -> Vec<(String, String, Vec<u8>)> {
        let lambda = Lambda::default();
        let connector = lambda.clone();
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .time_source(StaticTimeSource::new(SystemTime::UNIX_EPOCH))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("1", "2", None, None, "test")))
            .http_client(http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone())))
            .build();
        let create = aws_sdk_lambda::Client::new(&config)
            .create_function()
            .function_name("orders")
            .role("arn:aws:iam::1:role/orders")
            .description(r#"says "ZipFile":"emlw""#)
            .code(FunctionCode::builder().zip_file(zip).build())
            .customize();
        let create = match upload {
            Some(upload) => create.interceptor(upload),
            None => create,
        };
        create.send().await.expect("the second attempt is taken");
        let sent = std::mem::take(&mut *lambda.0.lock().expect(HELD));
        let mut seen = Vec::new();
        for mut request in sent {
            let header = |name| request.headers().get(name).unwrap_or_default().to_owned();
            let (signature, length) = (header("authorization"), header("content-length"));
            let body = ByteStream::new(std::mem::replace(request.body_mut(), SdkBody::taken())).collect().await;
            seen.push((signature, length, body.expect("all is read").to_vec()));
        }
        seen
    }

    #[tokio::test]
    async fn what_is_sent_block_by_block_is_what_the_sdk_would_have_sent() {
        let zip: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).take(100_001).collect();
        let whole = created_with(Blob::new(zip.clone()), None).await;
        let streamed = created_with(stand_in(), Some(Upload(zip.into()))).await;
        assert_eq!(whole.len(), 2, "the second after a throttle");
        assert!(whole == streamed);
    }
}
