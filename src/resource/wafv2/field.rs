//! Which part of a request a statement looks at, and what is done to it first.

use std::collections::BTreeSet;

use aws_sdk_wafv2::types as sdk;
use serde::{Deserialize, Deserializer, Serialize};

use crate::resource::wafv2::shape::{Shape, Untranslatable, Word, bare, kinds, shapes, words};
use crate::unknown;

kinds! {
    FieldToMatch = FieldToMatch {
        AllQueryArguments(AllQueryArguments): all_query_arguments,
        Body(Body): body,
        Cookies(Cookies): cookies,
        HeaderOrder(HeaderOrder): header_order,
        Headers(Headers): headers,
        #[serde(rename = "JA3Fingerprint")]
        Ja3Fingerprint(Ja3Fingerprint): ja3_fingerprint,
        #[serde(rename = "JA4Fingerprint")]
        Ja4Fingerprint(Ja4Fingerprint): ja4_fingerprint,
        JsonBody(JsonBody): json_body,
        Method(Method): method,
        QueryString(QueryString): query_string,
        SingleHeader(SingleHeader): single_header,
        SingleQueryArgument(SingleQueryArgument): single_query_argument,
        UriFragment(UriFragment): uri_fragment,
        UriPath(UriPath): uri_path,
    }

    CookieMatchPattern = CookieMatchPattern {
        All(All): all,
        ExcludedCookies(BTreeSet<String>): excluded_cookies,
        IncludedCookies(BTreeSet<String>): included_cookies,
    }

    HeaderMatchPattern = HeaderMatchPattern {
        All(All): all,
        ExcludedHeaders(BTreeSet<String>): excluded_headers,
        IncludedHeaders(BTreeSet<String>): included_headers,
    }

    JsonMatchPattern = JsonMatchPattern {
        All(All): all,
        IncludedPaths(BTreeSet<String>): included_paths,
    }
}

bare!(All, AllQueryArguments, Method, QueryString, UriPath);

shapes! {
    Body = Body {
        #[serde(default)]
        oversize_handling: OversizeHandling,
    }

    Cookies = Cookies {
        match_pattern: CookieMatchPattern,
        match_scope: Word<sdk::MapMatchScope>,
        oversize_handling: Word<sdk::OversizeHandling>,
    }

    HeaderOrder = HeaderOrder {
        oversize_handling: Word<sdk::OversizeHandling>,
    }

    Headers = Headers {
        match_pattern: HeaderMatchPattern,
        match_scope: Word<sdk::MapMatchScope>,
        oversize_handling: Word<sdk::OversizeHandling>,
    }

    Ja3Fingerprint = Ja3Fingerprint {
        fallback_behavior: Word<sdk::FallbackBehavior>,
    }

    Ja4Fingerprint = Ja4Fingerprint {
        fallback_behavior: Word<sdk::FallbackBehavior>,
    }

    JsonBody = JsonBody {
        match_pattern: JsonMatchPattern,
        match_scope: Word<sdk::JsonMatchScope>,
        invalid_fallback_behavior: Option<Word<sdk::BodyParsingFallbackBehavior>>,
        #[serde(default)]
        oversize_handling: OversizeHandling,
    }

    SingleHeader = SingleHeader {
        name: CaselessName,
    }

    SingleQueryArgument = SingleQueryArgument {
        name: CaselessName,
    }

    UriFragment = UriFragment {
        fallback_behavior: Option<Word<sdk::FallbackBehavior>>,
    }

    /// Transformations run in order of priority, wherever they stand in their list.
    TextTransformation = TextTransformation {
        priority: i32,
        r#type: Word<sdk::TextTransformationType>,
    }

    PreParseTextTransformation = PreParseTextTransformation {
        priority: i32,
        r#type: Word<sdk::PreParseTextTransformationType>,
    }
}

words! {
    OversizeHandling = OversizeHandling, "CONTINUE";
}

/// The name of a header or a query argument, which WAF gives back in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CaselessName(String);

impl<'de> Deserialize<'de> for CaselessName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl From<String> for CaselessName {
    fn from(name: String) -> Self {
        Self(if unknown::is_in(&name) { name } else { name.to_lowercase() })
    }
}

impl Shape for CaselessName {
    type Sdk = String;
    type Part = String;

    fn to_parts(&self) -> Result<Vec<String>, Untranslatable> {
        self.0.to_parts()
    }

    fn from_sdk(value: Option<String>) -> Result<Self, Untranslatable> {
        String::from_sdk(value).map(Self::from)
    }
}
