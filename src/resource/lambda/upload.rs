//! The zips of functions and layers on their way to Lambda.

use std::time::Duration;

use aws_sdk_lambda::config;
use aws_sdk_lambda::primitives::Blob;
use aws_smithy_types::timeout::TimeoutConfig;
use serde::{Deserialize, Serialize};

use crate::aws::Context;
use crate::aws::error::{AwsError, ErrorClass};

/// What stands for a zip in properties, in place of the template's path or source text.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Zip {
    /// What Lambda answers as `CodeSha256`.
    pub sha256: String,
}

impl Zip {
    /// The zip itself.
    pub fn bytes(&self, cx: &Context, operation: &'static str) -> Result<Blob, AwsError> {
        let bytes = cx.packages.get(&self.sha256).ok_or_else(|| {
            let message = format!("the zip with the digest `{}` has not been packaged", self.sha256);
            AwsError::new(operation, ErrorClass::Invalid, message)
        })?;
        Ok(Blob::new(bytes.to_vec()))
    }
}

/// Time enough for the largest zip on a slow line: the attempt of other calls is given up much earlier.
pub fn slowly() -> config::Builder {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(600)).build();
    config::Builder::new().timeout_config(timeouts)
}
