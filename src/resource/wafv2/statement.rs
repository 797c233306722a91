//! The statements that rules are made of.

use std::collections::BTreeSet;

use aws_sdk_wafv2::types as sdk;
use aws_smithy_types::Blob;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::resource::wafv2::action::{CaptchaConfig, ChallengeConfig, OverrideAction, RuleAction, VisibilityConfig};
use crate::resource::wafv2::field::{FieldToMatch, PreParseTextTransformation, TextTransformation};
use crate::resource::wafv2::managed::{ManagedRuleGroupStatement, RuleGroupReferenceStatement};
use crate::resource::wafv2::rate::RateBasedStatement;
use crate::resource::wafv2::shape::{Shape, Untranslatable, Word, kinds, shapes, words};

shapes! {
    /// Rules run in order of priority, wherever they stand in their list.
    Rule = Rule {
        priority: i32,
        name: String,
        action: Option<RuleAction>,
        override_action: Option<OverrideAction>,
        statement: Statement,
        visibility_config: VisibilityConfig,
        captcha_config: Option<CaptchaConfig>,
        challenge_config: Option<ChallengeConfig>,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        rule_labels: BTreeSet<Label>,
    }

    Label = Label {
        name: String,
    }
}

kinds! {
    Statement = Statement {
        AndStatement(AndStatement): and_statement,
        AsnMatchStatement(AsnMatchStatement): asn_match_statement,
        ByteMatchStatement(ByteMatchStatement): byte_match_statement,
        GeoMatchStatement(GeoMatchStatement): geo_match_statement,
        #[serde(rename = "IPSetReferenceStatement")]
        IpSetReferenceStatement(IpSetReferenceStatement): ip_set_reference_statement,
        LabelMatchStatement(LabelMatchStatement): label_match_statement,
        ManagedRuleGroupStatement(ManagedRuleGroupStatement): managed_rule_group_statement,
        NotStatement(NotStatement): not_statement,
        OrStatement(OrStatement): or_statement,
        RateBasedStatement(RateBasedStatement): rate_based_statement,
        RegexMatchStatement(RegexMatchStatement): regex_match_statement,
        RegexPatternSetReferenceStatement(RegexPatternSetReferenceStatement): regex_pattern_set_reference_statement,
        RuleGroupReferenceStatement(RuleGroupReferenceStatement): rule_group_reference_statement,
        SizeConstraintStatement(SizeConstraintStatement): size_constraint_statement,
        SqliMatchStatement(SqliMatchStatement): sqli_match_statement,
        XssMatchStatement(XssMatchStatement): xss_match_statement,
    }
}

shapes! {
    AndStatement = AndStatement {
        statements: Vec<Statement>,
    }

    OrStatement = OrStatement {
        statements: Vec<Statement>,
    }

    NotStatement = NotStatement {
        statement: Box<Statement>,
    }

    AsnMatchStatement = AsnMatchStatement {
        #[serde(default)]
        asn_list: BTreeSet<i64>,
        #[serde(rename = "ForwardedIPConfig")]
        forwarded_ip_config: Option<ForwardedIpConfig>,
    }

    ByteMatchStatement = ByteMatchStatement {
        #[serde(flatten)]
        search_string: SearchString,
        field_to_match: FieldToMatch,
        positional_constraint: Word<sdk::PositionalConstraint>,
        text_transformations: BTreeSet<TextTransformation>,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        pre_parse_text_transformations: BTreeSet<PreParseTextTransformation>,
    }

    GeoMatchStatement = GeoMatchStatement {
        #[serde(default)]
        country_codes: BTreeSet<Word<sdk::CountryCode>>,
        #[serde(rename = "ForwardedIPConfig")]
        forwarded_ip_config: Option<ForwardedIpConfig>,
    }

    IpSetReferenceStatement = IpSetReferenceStatement {
        arn: String,
        #[serde(rename = "IPSetForwardedIPConfig")]
        ip_set_forwarded_ip_config: Option<IpSetForwardedIpConfig>,
    }

    LabelMatchStatement = LabelMatchStatement {
        key: String,
        scope: Word<sdk::LabelMatchScope>,
    }

    RegexMatchStatement = RegexMatchStatement {
        regex_string: String,
        field_to_match: FieldToMatch,
        text_transformations: BTreeSet<TextTransformation>,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        pre_parse_text_transformations: BTreeSet<PreParseTextTransformation>,
    }

    RegexPatternSetReferenceStatement = RegexPatternSetReferenceStatement {
        arn: String,
        field_to_match: FieldToMatch,
        text_transformations: BTreeSet<TextTransformation>,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        pre_parse_text_transformations: BTreeSet<PreParseTextTransformation>,
    }

    SizeConstraintStatement = SizeConstraintStatement {
        comparison_operator: Word<sdk::ComparisonOperator>,
        /// Bytes.
        size: i64,
        field_to_match: FieldToMatch,
        text_transformations: BTreeSet<TextTransformation>,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        pre_parse_text_transformations: BTreeSet<PreParseTextTransformation>,
    }

    SqliMatchStatement = SqliMatchStatement {
        field_to_match: FieldToMatch,
        #[serde(default)]
        sensitivity_level: SensitivityLevel,
        text_transformations: BTreeSet<TextTransformation>,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        pre_parse_text_transformations: BTreeSet<PreParseTextTransformation>,
    }

    XssMatchStatement = XssMatchStatement {
        field_to_match: FieldToMatch,
        text_transformations: BTreeSet<TextTransformation>,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        pre_parse_text_transformations: BTreeSet<PreParseTextTransformation>,
    }

    /// Where to find the client's address when a proxy stands before.
    ForwardedIpConfig = ForwardedIpConfig {
        header_name: String,
        fallback_behavior: Word<sdk::FallbackBehavior>,
    }

    IpSetForwardedIpConfig = IpSetForwardedIpConfig {
        header_name: String,
        fallback_behavior: Word<sdk::FallbackBehavior>,
        position: Word<sdk::ForwardedIpPosition>,
    }
}

words! {
    SensitivityLevel = SensitivityLevel, "LOW";
}

/// The bytes to look for, under one of two names. What is a text is always kept as one, so that equal bytes are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "WrittenSearchString")]
pub enum SearchString {
    #[serde(rename = "SearchString")]
    Text(String),
    #[serde(rename = "SearchStringBase64")]
    Bytes(#[serde(serialize_with = "as_base64")] Vec<u8>),
}

#[derive(Deserialize)]
#[serde(rename = "SearchString")]
enum WrittenSearchString {
    SearchString(String),
    SearchStringBase64(String),
}

impl TryFrom<WrittenSearchString> for SearchString {
    type Error = String;

    fn try_from(written: WrittenSearchString) -> Result<Self, String> {
        match written {
            WrittenSearchString::SearchString(text) => Ok(Self::Text(text)),
            WrittenSearchString::SearchStringBase64(text) => {
                let bytes = STANDARD.decode(text).map_err(|error| format!("`SearchStringBase64`: {error}"))?;
                Ok(Self::from(bytes))
            }
        }
    }
}

impl From<Vec<u8>> for SearchString {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Text)
    }
}

impl Shape for SearchString {
    type Sdk = Blob;
    type Part = Blob;

    fn to_parts(&self) -> Result<Vec<Blob>, Untranslatable> {
        let bytes = match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Bytes(bytes) => bytes.clone(),
        };
        Ok(vec![Blob::new(bytes)])
    }

    fn from_sdk(value: Option<Blob>) -> Result<Self, Untranslatable> {
        Ok(Self::from(value.map(Blob::into_inner).unwrap_or_default()))
    }
}

fn as_base64<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn byte_match(field: &str, text: &str) -> Result<Statement, serde_json::Error> {
        let mut statement = json!({
            "FieldToMatch": {"UriPath": {}},
            "PositionalConstraint": "EXACTLY",
            "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
        });
        statement[field] = json!(text);
        serde_json::from_value(json!({"ByteMatchStatement": statement}))
    }

    fn there_and_back(statement: &Statement) -> Statement {
        Statement::from_sdk(statement.to_part().expect("sayable")).expect("readable")
    }

    #[test]
    fn equal_bytes_are_equal_under_either_name() {
        let text = byte_match("SearchString", "/admin").expect("fits");
        assert_eq!(byte_match("SearchStringBase64", "L2FkbWlu").expect("fits"), text);
        assert_eq!(there_and_back(&text), text);
    }

    #[test]
    fn bytes_that_are_no_text_stay_in_base64() {
        let bytes = byte_match("SearchStringBase64", "/w==").expect("fits");
        assert_eq!(there_and_back(&bytes), bytes);
        let written: Value = serde_json::to_value(&bytes).expect("JSON");
        assert_eq!(written["ByteMatchStatement"]["SearchStringBase64"], "/w==");
    }

    #[test]
    fn what_does_not_fit_is_said_by_name() {
        let error = |result: Result<Statement, serde_json::Error>| result.expect_err("does not fit").to_string();
        assert!(error(byte_match("SearchStringBase64", "?")).contains("`SearchStringBase64`"));
        assert!(error(byte_match("SearchTerm", "x")).contains("SearchString"));
        let kind = serde_json::from_value(json!({"MoodMatchStatement": {}}));
        assert!(error(kind).contains("MoodMatchStatement"));
        let two = serde_json::from_value(json!({"GeoMatchStatement": {}, "AsnMatchStatement": {}}));
        assert!(two.map(|_: Statement| ()).is_err(), "a statement is of one kind");
        let both = json!({
            "SearchString": "x",
            "SearchStringBase64": "eA==",
            "FieldToMatch": {"UriPath": {}},
            "PositionalConstraint": "EXACTLY",
            "TextTransformations": [],
        });
        assert!(error(serde_json::from_value(json!({"ByteMatchStatement": both}))).contains("SearchString"));
    }

    #[test]
    fn lists_whose_items_have_a_priority_have_no_order_of_their_own() {
        let statement = |transformations: Value| -> Statement {
            let statement = json!({"FieldToMatch": {"Body": {}}, "TextTransformations": transformations});
            serde_json::from_value(json!({"XssMatchStatement": statement})).expect("fits")
        };
        let first = json!({"Priority": 0, "Type": "URL_DECODE"});
        let second = json!({"Priority": 1, "Type": "LOWERCASE"});
        assert_eq!(statement(json!([first, second])), statement(json!([second, first])));
    }

    #[test]
    fn a_kind_that_is_newer_than_the_sdk_is_an_error_with_its_place() {
        let nested = sdk::Statement::builder()
            .not_statement(sdk::NotStatement::builder().statement(sdk::Statement::builder().build()).build());
        let error = Statement::from_sdk(Some(nested.build())).expect_err("unknown");
        assert_eq!(
            error.to_string(),
            "`NotStatement`: `statement`: `Statement`: AWS has a kind here that this version of paystack does not know"
        );
    }
}
