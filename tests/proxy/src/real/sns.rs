//! SNS, where what was made or deleted a moment ago is not the same for every reader.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::call::{Call, Service};
use crate::error::error;
use crate::http::Response;
use crate::real::spell::Spells;
use crate::real::{Pace, Strikes};
use crate::{Behaviour, held};

/// The behaviours of this file.
pub(super) fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    vec![
        Arc::new(SubscriptionPending::new(pace)),
        Arc::new(SubscriptionsLinger::new(pace)),
        Arc::new(SubscriptionsShowLate::new(pace)),
        Arc::new(TopicShowsLate::new(pace)),
        Arc::new(TopicTagsBusy::new(pace)),
    ]
}

fn topic(call: &Call) -> Option<String> {
    call.text("TopicArn").or_else(|| call.text("ResourceArn"))
}

/// The first text between two tags of an XML answer.
fn element(answer: &Response, name: &str) -> Option<String> {
    let body = String::from_utf8_lossy(&answer.body);
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
}

/// Takes out each `<member>…</member>` of which `is_meant`; says how many.
fn remove_members(answer: &mut Response, mut is_meant: impl FnMut(&str) -> bool) -> usize {
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    let mut kept = String::new();
    let mut removed = 0;
    for (index, part) in body.split("<member>").enumerate() {
        let end = part.find("</member>").map(|at| at + "</member>".len());
        match end {
            Some(end) if index > 0 && is_meant(&part[..end]) => {
                removed += 1;
                kept.push_str(&part[end..]);
            }
            _ if index > 0 => kept.push_str(&format!("<member>{part}")),
            _ => kept.push_str(part),
        }
    }
    answer.body = kept.into_bytes();
    removed
}

/// A new topic is not known everywhere for its first seconds. Asked for again meanwhile, with other tags or attributes, it is
/// refused in words of its own: the emulator does that as AWS does.
///
/// "Real AWS behaviour" 1 rule 3 and 7.1 (`Topic already exists with different tags`, recorded by LocalStack).
pub struct TopicShowsLate {
    made: Spells<(String, String)>,
    strikes: Strikes,
}

impl TopicShowsLate {
    pub fn new(pace: Pace) -> Self {
        Self { made: Spells::of(pace.seconds(1.0)), strikes: Strikes::default() }
    }
}

impl Behaviour for TopicShowsLate {
    fn name(&self) -> &'static str {
        "topic-shows-late"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if !call.is(Service::Sns, "GetTopicAttributes") {
            return None;
        }
        let refused = self.made.look(&(call.account.clone(), topic(call)?));
        self.strikes.with(refused.map(|_| error(call, 404, "NotFound", "Topic does not exist")))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if call.is(Service::Sns, "CreateTopic")
            && answer.status == 200
            && let Some(arn) = element(answer, "TopicArn")
        {
            self.made.begin((call.account.clone(), arn));
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// Tags of a topic are in the middle of another change when they are first written.
///
/// "Real AWS behaviour" 7.1: ConcurrentAccess and StaleTag (botocore's service model).
pub struct TopicTagsBusy {
    refused: Mutex<HashMap<(String, String), usize>>,
    strikes: Strikes,
}

impl TopicTagsBusy {
    pub fn new(_pace: Pace) -> Self {
        Self { refused: Mutex::default(), strikes: Strikes::default() }
    }
}

impl Behaviour for TopicTagsBusy {
    fn name(&self) -> &'static str {
        "topic-tags-busy"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if !call.is(Service::Sns, "TagResource") {
            return None;
        }
        let mut refused = held(&self.refused);
        let times = refused.entry((call.account.clone(), topic(call)?)).or_default();
        *times += 1;
        let refusal = match times {
            1 => Some(("ConcurrentAccess", "Can't perform multiple operations on a tag simultaneously.")),
            2 => Some(("StaleTag", "A tag has been added to a resource with the same ARN as a deleted resource.")),
            _ => None,
        };
        self.strikes.with(refusal.map(|(code, message)| error(call, 400, code, message)))
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// The subscriptions of a deleted topic stay listed for a while, and can be read: under the topic's ARN, which a new topic of
/// that name has too.
///
/// "Real AWS behaviour" 7.2 and 1.7: a topic takes its subscriptions along eventually.
pub struct SubscriptionsLinger {
    /// By topic: what lists show of each subscription.
    members: Mutex<HashMap<String, Vec<String>>>,
    /// By ARN of the subscription.
    attributes: Mutex<HashMap<String, Response>>,
    /// By ARN of the topic.
    deleted: Spells<String>,
    strikes: Strikes,
}

impl SubscriptionsLinger {
    pub fn new(pace: Pace) -> Self {
        Self {
            members: Mutex::default(),
            attributes: Mutex::default(),
            deleted: Spells::of(pace.seconds(20.0)),
            strikes: Strikes::default(),
        }
    }

    fn list(&self, topic: &String, answer: &mut Response) {
        let is_live = answer.status == 200 && String::from_utf8_lossy(&answer.body).contains("<member>");
        let members = held(&self.members);
        if !is_live
            && let Some(members) = members.get(topic)
            && self.deleted.look(topic).is_some()
        {
            self.strikes.add();
            answer.status = 200;
            answer.headers.set("Content-Type", "text/xml");
            answer.body = format!(
                "<ListSubscriptionsByTopicResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
                 <ListSubscriptionsByTopicResult><Subscriptions>{}</Subscriptions></ListSubscriptionsByTopicResult>\
                 <ResponseMetadata><RequestId>ghosts</RequestId></ResponseMetadata></ListSubscriptionsByTopicResponse>",
                members.concat()
            )
            .into_bytes();
        }
    }

    fn get(&self, arn: String, answer: &mut Response) {
        let mut attributes = held(&self.attributes);
        // The ARN of a subscription is its topic's, and more.
        let topic = arn.rsplit_once(':').map(|(topic, _)| topic.to_owned()).unwrap_or_default();
        if answer.status == 200 {
            attributes.insert(arn, answer.clone());
        } else if let Some(old) = attributes.get(&arn)
            && self.deleted.look(&topic).is_some()
        {
            self.strikes.add();
            *answer = old.clone();
        }
    }
}

impl Behaviour for SubscriptionsLinger {
    fn name(&self) -> &'static str {
        "subscriptions-linger"
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if call.is(Service::Sns, "GetSubscriptionAttributes") {
            call.text("SubscriptionArn").into_iter().for_each(|arn| self.get(arn, answer));
        }
        let Some(topic) = topic(call) else { return };
        if call.is(Service::Sns, "ListSubscriptionsByTopic") {
            self.list(&topic, answer);
        } else if call.is(Service::Sns, "DeleteTopic") && answer.status == 200 {
            self.deleted.begin(topic);
        } else if call.is(Service::Sns, "Subscribe")
            && let Some(arn) = element(answer, "SubscriptionArn")
        {
            let text = |name| call.text(name).unwrap_or_default();
            let member = format!(
                "<member><SubscriptionArn>{arn}</SubscriptionArn><TopicArn>{topic}</TopicArn><Owner>{}</Owner>\
                 <Protocol>{}</Protocol><Endpoint>{}</Endpoint></member>",
                call.account,
                text("Protocol"),
                text("Endpoint")
            );
            held(&self.members).entry(topic).or_default().push(member);
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// An address that nobody has confirmed is listed without an ARN, and cannot be taken off: the emulator does both as AWS does,
/// and this counts.
///
/// "Real AWS behaviour" 7.2 (`Cannot unsubscribe a subscription that is pending confirmation`).
pub struct SubscriptionPending {
    strikes: Strikes,
}

impl SubscriptionPending {
    pub fn new(_pace: Pace) -> Self {
        Self { strikes: Strikes::default() }
    }
}

impl Behaviour for SubscriptionPending {
    fn name(&self) -> &'static str {
        "subscription-pending"
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let says = |text: &str| String::from_utf8_lossy(&answer.body).contains(text);
        let is_listed = call.is(Service::Sns, "ListSubscriptionsByTopic") && says("PendingConfirmation");
        let is_refused = call.is(Service::Sns, "Unsubscribe") && says("pending confirmation");
        if is_listed || is_refused {
            self.strikes.add();
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A new subscription is not listed for its first seconds. Asked for again meanwhile with other attributes, it is refused: the
/// emulator does that as AWS does.
///
/// "Real AWS behaviour" 1 rule 3 and 7.2 (`Subscription already exists with different attributes`).
pub struct SubscriptionsShowLate {
    made: Spells<String>,
    strikes: Strikes,
}

impl SubscriptionsShowLate {
    pub fn new(pace: Pace) -> Self {
        Self { made: Spells::of(pace.seconds(1.0)), strikes: Strikes::default() }
    }
}

impl Behaviour for SubscriptionsShowLate {
    fn name(&self) -> &'static str {
        "subscriptions-show-late"
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if call.is(Service::Sns, "Subscribe")
            && answer.status == 200
            && let Some(arn) = element(answer, "SubscriptionArn")
        {
            self.made.begin(arn);
        } else if call.is(Service::Sns, "ListSubscriptionsByTopic") {
            let is_new = |member: &str| self.made.look_at_any(|arn| member.contains(arn.as_str()));
            if remove_members(answer, is_new) > 0 {
                self.strikes.add();
            }
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Headers;

    #[test]
    fn a_member_is_taken_out_whole() {
        let body = "<L><member><A>one</A></member><member><A>two</A></member></L><R/>".as_bytes().to_vec();
        let mut answer = Response { status: 200, headers: Headers::default(), body };
        assert_eq!(remove_members(&mut answer, |member| member.contains("one")), 1);
        assert_eq!(String::from_utf8_lossy(&answer.body), "<L><member><A>two</A></member></L><R/>");
        assert_eq!(element(&answer, "A").as_deref(), Some("two"));
    }
}
