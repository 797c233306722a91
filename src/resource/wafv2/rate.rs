//! Rules that count requests, and what they count them by.

use std::collections::BTreeSet;

use aws_sdk_wafv2::types as sdk;
use serde::{Deserialize, Serialize};

use crate::resource::wafv2::field::TextTransformation;
use crate::resource::wafv2::shape::{Shape, Untranslatable, Word, bare, kinds, shapes};
use crate::resource::wafv2::statement::{ForwardedIpConfig, Statement};

shapes! {
    RateBasedStatement = RateBasedStatement {
        limit: i64,
        #[serde(default)]
        evaluation_window_sec: EvaluationWindow,
        aggregate_key_type: Word<sdk::RateBasedStatementAggregateKeyType>,
        scope_down_statement: Option<Box<Statement>>,
        #[serde(rename = "ForwardedIPConfig")]
        forwarded_ip_config: Option<ForwardedIpConfig>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        custom_keys: Vec<CustomKey>,
    }

    RateLimitCookie = RateLimitCookie {
        name: String,
        text_transformations: BTreeSet<TextTransformation>,
    }

    RateLimitHeader = RateLimitHeader {
        name: String,
        text_transformations: BTreeSet<TextTransformation>,
    }

    RateLimitQueryArgument = RateLimitQueryArgument {
        name: String,
        text_transformations: BTreeSet<TextTransformation>,
    }

    RateLimitQueryString = RateLimitQueryString {
        text_transformations: BTreeSet<TextTransformation>,
    }

    RateLimitUriPath = RateLimitUriPath {
        text_transformations: BTreeSet<TextTransformation>,
    }

    RateLimitJa3Fingerprint = RateLimitJa3Fingerprint {
        fallback_behavior: Word<sdk::FallbackBehavior>,
    }

    RateLimitJa4Fingerprint = RateLimitJa4Fingerprint {
        fallback_behavior: Word<sdk::FallbackBehavior>,
    }

    RateLimitLabelNamespace = RateLimitLabelNamespace {
        namespace: String,
    }
}

kinds! {
    CustomKey = RateBasedStatementCustomKey {
        #[serde(rename = "ASN")]
        Asn(RateLimitAsn): asn,
        Cookie(RateLimitCookie): cookie,
        #[serde(rename = "ForwardedIP")]
        ForwardedIp(RateLimitForwardedIp): forwarded_ip,
        #[serde(rename = "HTTPMethod")]
        HttpMethod(RateLimitHttpMethod): http_method,
        Header(RateLimitHeader): header,
        #[serde(rename = "IP")]
        Ip(RateLimitIp): ip,
        #[serde(rename = "JA3Fingerprint")]
        Ja3Fingerprint(RateLimitJa3Fingerprint): ja3_fingerprint,
        #[serde(rename = "JA4Fingerprint")]
        Ja4Fingerprint(RateLimitJa4Fingerprint): ja4_fingerprint,
        LabelNamespace(RateLimitLabelNamespace): label_namespace,
        QueryArgument(RateLimitQueryArgument): query_argument,
        QueryString(RateLimitQueryString): query_string,
        UriPath(RateLimitUriPath): uri_path,
    }
}

bare!(RateLimitAsn, RateLimitForwardedIp, RateLimitHttpMethod, RateLimitIp);

/// Seconds over which requests are counted. Where a service leaves it out, the SDK says 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EvaluationWindow(i64);

impl Default for EvaluationWindow {
    fn default() -> Self {
        Self(300)
    }
}

impl Shape for EvaluationWindow {
    type Sdk = i64;
    type Part = i64;

    fn to_parts(&self) -> Result<Vec<i64>, Untranslatable> {
        self.0.to_parts()
    }

    fn from_sdk(value: Option<i64>) -> Result<Self, Untranslatable> {
        Ok(value.filter(|seconds| *seconds > 0).map(Self).unwrap_or_default())
    }
}
