//! What a plan loses for good: counted while it is made, so that it can be said as loudly as it deserves. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::Scope;
use crate::plan::{Action, Plan, Step};
use crate::resource::Contents;

/// Something that goes with a resource and that no template brings back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Loss {
    /// A table's items, as DynamoDB counts them about every six hours ("DescribeTable"); `has_new` where it counts none,
    /// and yet there is one.
    Items { count: u64, bytes: u64, has_new: bool },
    /// A queue's messages, each number approximate ("GetQueueAttributes").
    Messages { visible: u64, in_flight: u64, delayed: u64 },
    /// A log group's events, as CloudWatch Logs counts them some hours late; `has_new` where it counts none, and yet there
    /// are some.
    LogEvents { bytes: u64, has_new: bool },
    /// A topic's subscriptions that are not the stack's own, by protocol.
    Subscriptions { by_protocol: BTreeMap<String, usize> },
    /// The address of an API: whoever calls it has to be told the new one.
    Address { url: String },
    /// The value of an API key: whoever uses it has to be given the new one.
    KeyValue,
    /// What is in it could not be counted.
    Uncounted { reason: String },
}

impl Loss {
    /// Whether there is nothing to lose after all.
    pub fn is_nothing(&self) -> bool {
        match self {
            Self::Items { count, has_new, .. } => *count == 0 && !has_new,
            Self::Messages { visible, in_flight, delayed } => visible + in_flight + delayed == 0,
            Self::LogEvents { bytes, has_new } => *bytes == 0 && !has_new,
            Self::Subscriptions { by_protocol } => by_protocol.is_empty(),
            Self::Address { .. } | Self::KeyValue | Self::Uncounted { .. } => false,
        }
    }
}

impl Step {
    /// Whether what is there now goes, with all that is in it.
    pub fn loses(&self) -> bool {
        matches!(self.action, Action::Delete { .. } | Action::Replace { .. })
    }

    pub(crate) fn lose(&mut self, contents: Contents, own: &Subscriptions) {
        self.losses.push(match contents {
            Contents::Items { count, bytes, has_new } => Loss::Items { count, bytes, has_new },
            Contents::Messages { visible, in_flight, delayed } => Loss::Messages { visible, in_flight, delayed },
            Contents::LogEvents { bytes, has_new } => Loss::LogEvents { bytes, has_new },
            Contents::Subscriptions(subscriptions) => Loss::Subscriptions { by_protocol: own.others(subscriptions) },
        });
    }

    /// What is lost though nothing is in it: a new one is not reached as the old one was.
    pub(crate) fn lose_what_others_know(&mut self, scope: &Scope) {
        let (Action::Replace { .. }, Some(live)) = (&self.action, &self.live) else { return };
        match self.resource_type.as_str() {
            "AWS::ApiGateway::RestApi" => {
                let suffix = if scope.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
                let url = format!("https://{}.execute-api.{}.{suffix}", live.id, scope.region);
                self.losses.push(Loss::Address { url });
            }
            "AWS::ApiGateway::ApiKey" => self.losses.push(Loss::KeyValue),
            _ => {}
        }
    }
}

/// The subscriptions that a stack has declared: protocol and endpoint of each.
pub(crate) struct Subscriptions(Vec<(String, String)>);

impl Subscriptions {
    pub(crate) fn of(plan: &Plan) -> Self {
        let live = plan.steps.iter().chain(&plan.left_out).filter_map(|step| step.live.as_ref());
        let declared = live.flat_map(|live| {
            let inline = live.properties.get("Subscription").and_then(|it| it.as_array());
            std::iter::once(&live.properties).chain(inline.into_iter().flatten())
        });
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        Self(declared.filter_map(|it| Some((text(&it["Protocol"])?, text(&it["Endpoint"])?))).collect())
    }

    fn others(&self, subscriptions: Vec<(String, String)>) -> BTreeMap<String, usize> {
        let mut by_protocol = BTreeMap::new();
        for subscription in subscriptions.into_iter().filter(|it| !self.0.contains(it)) {
            *by_protocol.entry(subscription.0).or_insert(0) += 1;
        }
        by_protocol
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::fake::line::{Account, desired, text_of};

    const QUEUE: &str = "AWS::SQS::Queue";
    const BOTH: &str = "Resources: {Orders: {Type: AWS::SQS::Queue, Properties: {QueueName: orders}}, \
                        Kept: {Type: AWS::SQS::Queue}}";
    const ONE: &str = "Resources: {Kept: {Type: AWS::SQS::Queue}}";

    fn account() -> Account {
        let account = Account::default();
        account.apply(&desired(BOTH)).expect("nothing crashes");
        account
    }

    fn end_of_plan(account: &Account) -> String {
        let text = text_of(&account.plan(&desired(ONE)));
        let steps = text.find("- destroy").expect("something goes");
        text[steps..].to_owned()
    }

    #[test]
    fn what_is_lost_is_said_last_and_only_of_what_goes() {
        let account = account();
        account.aws.fill(QUEUE, Contents::Messages { visible: 1_200, in_flight: 3, delayed: 0 });
        expect![[r"
            - destroy

                AWS::SQS
                - Orders  Queue  [https://sqs.us-east-1.amazonaws.com/123456789012/orders]  # not in the template

            ! lost for good, if this is applied

                Orders [https://sqs.us-east-1.amazonaws.com/123456789012/orders]: about 1,203 messages, 3 being handled

            Plan: 0 to create, 0 to update, 1 to destroy.
        "]]
        .assert_eq(&end_of_plan(&account));
    }

    #[test]
    fn what_is_empty_is_no_loss() {
        let account = account();
        account.aws.fill(QUEUE, Contents::Messages { visible: 0, in_flight: 0, delayed: 0 });
        expect![[r"
            - destroy

                AWS::SQS
                - Orders  Queue  [https://sqs.us-east-1.amazonaws.com/123456789012/orders]  # not in the template  # empty

            Plan: 0 to create, 0 to update, 1 to destroy.
        "]]
        .assert_eq(&end_of_plan(&account));
    }

    #[test]
    fn a_subscription_of_the_stack_is_no_loss() {
        let own = Subscriptions(vec![("sqs".to_owned(), "arn:ours".to_owned())]);
        let all = [("sqs", "arn:ours"), ("sqs", "arn:theirs"), ("email", "a@b.c"), ("email", "d@e.f")];
        let others = own.others(all.map(|(protocol, endpoint)| (protocol.to_owned(), endpoint.to_owned())).into());
        assert_eq!(others, [("email".to_owned(), 2), ("sqs".to_owned(), 1)].into());
    }
}
