//! The pseudo parameters: what a template may ask of the stack that it is planned for.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::hex_digest;
use crate::identity::StackId;
use crate::unknown;

/// What the pseudo parameters stand for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pseudo {
    /// `None` where AWS has not been asked: `AWS::AccountId` is then an unknown.
    pub account_id: Option<String>,
    pub region: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// What `AWS::StackName` gives.
    pub stack: StackId,
}

/// One of the pseudo parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum PseudoParameter {
    AccountId,
    NoValue,
    NotificationArns,
    Partition,
    Region,
    StackId,
    StackName,
    UrlSuffix,
}

/// In alphabetical order.
const NAMES: [(&str, PseudoParameter); 8] = [
    ("AWS::AccountId", PseudoParameter::AccountId),
    ("AWS::NoValue", PseudoParameter::NoValue),
    ("AWS::NotificationARNs", PseudoParameter::NotificationArns),
    ("AWS::Partition", PseudoParameter::Partition),
    ("AWS::Region", PseudoParameter::Region),
    ("AWS::StackId", PseudoParameter::StackId),
    ("AWS::StackName", PseudoParameter::StackName),
    ("AWS::URLSuffix", PseudoParameter::UrlSuffix),
];

impl PseudoParameter {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, pseudo)| *pseudo)
    }

    pub(super) fn names<'a>() -> impl Iterator<Item = &'a str> {
        NAMES.iter().map(|(name, _)| *name)
    }
}

impl Pseudo {
    /// What a pseudo parameter gives; `None` for `AWS::NoValue`, which gives nothing.
    pub(super) fn value(&self, parameter: PseudoParameter) -> Option<Value> {
        let text = match parameter {
            PseudoParameter::NoValue => return None,
            // A stack of CloudFormation can publish its events to topics; there are none here.
            PseudoParameter::NotificationArns => return Some(Value::Array(Vec::new())),
            PseudoParameter::AccountId => self.account_id(),
            PseudoParameter::Partition => self.partition.clone(),
            PseudoParameter::Region => self.region.clone(),
            PseudoParameter::StackId => self.stack_arn(),
            PseudoParameter::StackName => self.stack.to_string(),
            PseudoParameter::UrlSuffix => self.url_suffix().to_owned(),
        };
        Some(Value::String(text))
    }

    fn account_id(&self) -> String {
        self.account_id.clone().unwrap_or_else(|| unknown::named("AWS::AccountId"))
    }

    /// The domain of the partition's services.
    fn url_suffix(&self) -> &'static str {
        if self.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
    }

    /// A stack id in CloudFormation's shape. Templates take its last part for a unique suffix, so that part follows
    /// from where the stack is: it stays the same between runs and differs between accounts, regions and stacks.
    fn stack_arn(&self) -> String {
        let Self { account_id, region, partition, stack } = self;
        let Some(account_id) = account_id else { return unknown::named("AWS::StackId") };
        let hex = hex_digest(format!("{partition}:{region}:{account_id}:{stack}"), 32);
        let [a, b, c, d, e] = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        format!("arn:{partition}:cloudformation:{region}:{account_id}:stack/{stack}/{a}-{b}-{c}-{d}-{e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_id_has_the_shape_of_cloudformations() {
        let pseudo = Pseudo {
            account_id: Some("123456789012".into()),
            region: "eu-west-1".into(),
            partition: "aws".into(),
            stack: StackId::from("payments-dev"),
        };
        let id = "arn:aws:cloudformation:eu-west-1:123456789012:stack/payments-dev/";
        assert!(pseudo.stack_arn().starts_with(id));
        assert_eq!(pseudo.stack_arn().len(), id.len() + 36);
        let elsewhere = Pseudo { account_id: None, ..pseudo };
        assert!(unknown::is_in(&elsewhere.stack_arn()));
    }
}
