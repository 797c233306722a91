//! A plan that waits in a file until it is applied, by whoever applies it. Pure.
//!
//! The file tells what would be done, and holds for each resource that is touched a digest of what is live and one of what
//! is wanted. To apply it, the plan is made anew and compared: what a file says is never done unseen. What goes into the
//! plan beside that (tags, parameters, packages) needs no digest of its own, since it shows in what is wanted.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::identity::{LogicalId, ResourceType};
use crate::plan::{Action, Options, Order, Plan, Step};
use crate::state::salted_digest;

/// The layout of a saved plan. A reader refuses every other.
pub const VERSION: u32 = 1;

/// A plan in its file: JSON of this shape. No secret is in it; what depends on one is digested with the file's own salt.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    pub version: u32,
    pub at: jiff::Timestamp,
    pub asked: Asked,
    pub salt: String,
    /// Of the template's text.
    pub template_digest: String,
    /// Of the values of the parameters that are secret.
    pub secret_digests: BTreeMap<String, String>,
    /// As it was shown.
    pub plan: Plan,
    /// One for each resource that the plan touches.
    pub touched: Vec<Touched>,
}

/// What the plan was asked for with: enough to make it anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    pub opening: Opening,
    pub goal: Goal,
    pub options: Options,
}

/// How the stack is opened again: what was said on the command line, without secrets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    pub environment: Option<String>,
    pub parameters: BTreeMap<String, String>,
    pub project: Option<PathBuf>,
    pub template: Option<PathBuf>,
    pub stack: Option<String>,
    #[serde(default)]
    pub imports: BTreeMap<String, String>,
    #[serde(default)]
    pub skip_unsupported: bool,
    #[serde(default)]
    pub delete_retained: bool,
    pub local: bool,
}

/// What a plan leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// What the template says.
    Template,
    /// That nothing is left.
    Nothing,
}

/// What a step was planned from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Touched {
    pub logical_id: LogicalId,
    pub resource_type: ResourceType,
    pub action: String,
    /// Of the physical id and the live properties.
    pub live_digest: String,
    /// Of the wanted properties.
    pub desired_digest: String,
}

/// What a plan is made of beside the stack.
pub struct Inputs<'a> {
    pub template: &'a str,
    pub secrets: BTreeMap<&'a str, &'a Value>,
}

/// Why a saved plan is not what would be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stale {
    /// The resource was planned from other live properties.
    Live {
        logical_id: LogicalId,
    },
    /// The template, its parameters or its code say something else of the resource.
    Desired {
        logical_id: LogicalId,
    },
    OtherAction {
        logical_id: LogicalId,
        saved: String,
        now: String,
    },
    Done {
        logical_id: LogicalId,
    },
    New {
        logical_id: LogicalId,
        now: String,
    },
}

/// Why a text is no plan that can be applied.
#[derive(Debug)]
pub enum Refusal {
    Unreadable(serde_json::Error),
    /// It has another layout.
    OtherVersion(u64),
}

impl SavedPlan {
    /// What is in a file.
    ///
    /// # Errors
    ///
    /// It is no kept plan, or one of another layout.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        /// What every layout has.
        #[derive(Deserialize)]
        struct Layout {
            version: u64,
        }
        let layout: Layout = serde_json::from_str(text).map_err(Refusal::Unreadable)?;
        if layout.version != u64::from(VERSION) {
            return Err(Refusal::OtherVersion(layout.version));
        }
        serde_json::from_str(text).map_err(Refusal::Unreadable)
    }

    pub fn new(plan: &Plan, asked: Asked, inputs: &Inputs<'_>, salt: String, at: jiff::Timestamp) -> Self {
        Self {
            version: VERSION,
            at,
            asked,
            template_digest: salted_digest(&salt, inputs.template),
            secret_digests: digests(&inputs.secrets, &salt),
            touched: plan.touching().map(|step| touched(step, &salt)).collect(),
            plan: plan.shown(),
            salt,
        }
    }

    /// The secret parameters that do not have the values that the plan was made with.
    pub fn other_secrets(&self, inputs: &Inputs<'_>) -> Vec<String> {
        let now = digests(&inputs.secrets, &self.salt);
        let is_other = |(name, digest): &(&String, &String)| now.get(*name).is_some_and(|now| now != *digest);
        self.secret_digests.iter().filter(is_other).map(|(name, _)| name.clone()).collect()
    }

    pub fn has_template(&self, inputs: &Inputs<'_>) -> bool {
        self.template_digest == salted_digest(&self.salt, inputs.template)
    }

    /// What makes this another plan than the one that was made now.
    pub fn compare(&self, now: &Plan) -> Vec<Stale> {
        let mut stale = Vec::new();
        let mut left: BTreeMap<_, _> =
            self.touched.iter().map(|touched| ((&touched.logical_id, &touched.resource_type), touched)).collect();
        for step in now.touching() {
            let now = touched(step, &self.salt);
            let logical_id = now.logical_id.clone();
            let Some(saved) = left.remove(&(&step.logical_id, &step.resource_type)) else {
                stale.push(Stale::New { logical_id, now: now.action });
                continue;
            };
            if saved.live_digest != now.live_digest {
                stale.push(Stale::Live { logical_id });
            } else if saved.desired_digest != now.desired_digest {
                stale.push(Stale::Desired { logical_id });
            } else if saved.action != now.action {
                stale.push(Stale::OtherAction { logical_id, saved: saved.action.clone(), now: now.action });
            }
        }
        stale.extend(left.into_keys().map(|(logical_id, _)| Stale::Done { logical_id: logical_id.clone() }));
        stale
    }
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live { logical_id } => write!(f, "`{logical_id}` was changed in AWS since the plan was made"),
            Self::Desired { logical_id } => {
                write!(f, "`{logical_id}` is wanted in another way than when the plan was made")
            }
            Self::OtherAction { logical_id, saved, now } => {
                write!(f, "`{logical_id}` was planned as {saved}, and now is {now}")
            }
            Self::Done { logical_id } => write!(f, "`{logical_id}` needs no change any more"),
            Self::New { logical_id, now } => write!(f, "`{logical_id}` is not in the plan, and now is {now}"),
        }
    }
}

fn digests(secrets: &BTreeMap<&str, &Value>, salt: &str) -> BTreeMap<String, String> {
    let digest = |(name, value): (&&str, &&Value)| ((*name).to_owned(), salted_digest(salt, &value.to_string()));
    secrets.iter().map(digest).collect()
}

fn touched(step: &Step, salt: &str) -> Touched {
    let live = step.live.as_ref().map(|live| &live.properties);
    let texts = [serde_json::json!([step.physical_id, live]), serde_json::json!(step.desired)];
    let [live_digest, desired_digest] = texts.map(|value| salted_digest(salt, &value.to_string()));
    Touched {
        logical_id: step.logical_id.clone(),
        resource_type: step.resource_type.clone(),
        action: word(&step.action).to_owned(),
        live_digest,
        desired_digest,
    }
}

fn word(action: &Action) -> &'static str {
    match action {
        Action::None => "unchanged",
        Action::Create { .. } => "a creation",
        Action::Adopt { .. } => "an adoption",
        Action::Update { .. } => "an update",
        Action::Replace { order: Order::CreateFirst, .. } => "a replacement that creates first",
        Action::Replace { order: Order::DeleteFirst, .. } => "a replacement that deletes first",
        Action::Delete { .. } => "a deletion",
        Action::Forget => "only remembered",
        Action::Blocked { .. } => "blocked",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::desired::Desired;
    use crate::fake::line::{Account, desired, desired_with};

    const QUEUE: &str = "AWS::SQS::Queue";

    fn queues(delay: u32) -> Desired {
        let queue = |name: &str| format!("{name}: {{Type: {QUEUE}, Properties: {{DelaySeconds: {delay}}}}}");
        desired(&format!("Resources: {{{}, {}}}", queue("Orders"), queue("Refunds")))
    }

    /// As it is read from its file.
    fn saved(plan: &Plan, inputs: &Inputs<'_>) -> SavedPlan {
        let asked = Asked { opening: Opening::default(), goal: Goal::Template, options: Options::default() };
        let saved = SavedPlan::new(plan, asked, inputs, "salt".to_owned(), jiff::Timestamp::UNIX_EPOCH);
        let text = serde_json::to_string(&saved).expect("a plan is plain data");
        serde_json::from_str(&text).expect("a plan that was written can be read")
    }

    fn stale(plan: &Plan, now: &Plan) -> Vec<String> {
        saved(plan, &Inputs { template: "", secrets: BTreeMap::new() })
            .compare(now)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_plan_is_not_stale_while_what_it_touches_stays_the_same() {
        let account = Account::default();
        let plan = account.plan(&queues(1));
        assert_eq!(stale(&plan, &account.plan(&queues(1))), [""; 0]);
        account.apply(&queues(1)).expect("nothing crashes");
        let plan = account.plan(&queues(2));
        // Losing the ledger costs only the knowledge of who changed what.
        account.ledgers.lose();
        assert_eq!(stale(&plan, &account.plan(&queues(2))), [""; 0]);
    }

    /// A file with everything in it, for others to be made of.
    const PLAN: &str = r#"{"version": 1, "at": "2026-11-22T10:00:00Z", "salt": "salt", "template_digest": "sha256:00",
        "asked": {"opening": {"environment": "dev", "parameters": {"A": "1"}, "project": "paystack.toml", "template": null,
            "stack": null, "local": false}, "goal": "template",
            "options": {"adopt": [], "replace": ["Orders"], "targets": []}},
        "secret_digests": {"Secret": "sha256:00"},
        "plan": {"stack": "orders-dev", "scope": {"account_id": "123456789012", "region": "us-east-1", "partition": "aws"},
            "steps": [{"logical_id": "Orders", "resource_type": "AWS::SQS::Queue", "action": {"kind": "replace",
                "changes": [{"path": "Tags[0].Key", "live": 1, "desired": null, "cause": "drift"}],
                "forced_by": [{"kind": "property", "path": "QueueName"}], "order": "create_first"},
                "desired": {"QueueName": "a"}, "physical_id": "https://queue/orders", "dependencies": ["Role"],
                "holds": {"Role": "refers", "Rule": "mentions"}, "goes_last": false, "secret": []}],
            "left_out": [], "problems": ["none"],
            "remarks": {"elsewhere": {"account_id": "123456789012", "region": "us-east-1"}}},
        "touched": [{"logical_id": "Orders", "resource_type": "AWS::SQS::Queue", "action": "an update",
            "live_digest": "sha256:00", "desired_digest": "sha256:00"}]}"#;

    #[test]
    fn the_plan_that_others_are_made_of_is_read() {
        assert_eq!(SavedPlan::parse(PLAN).expect("a plan").plan.steps.len(), 1);
    }

    #[test]
    fn a_plan_that_was_written_into_another_is_stale_whatever_it_shows() {
        let account = Account::default();
        account.apply(&queues(1)).expect("nothing crashes");
        let plan = account.plan(&queues(2));
        let mut saved = saved(&plan, &Inputs { template: "", secrets: BTreeMap::new() });
        let [orders, refunds] = saved.plan.steps.as_mut_slice() else { panic!("two steps") };
        std::mem::swap(&mut orders.physical_id, &mut refunds.physical_id);
        // What is shown in the file is never carried out: the plan is made anew.
        assert!(saved.compare(&account.plan(&queues(2))).is_empty());
        let [orders, refunds] = saved.touched.as_mut_slice() else { panic!("two resources") };
        std::mem::swap(&mut orders.live_digest, &mut refunds.live_digest);
        assert_eq!(saved.compare(&account.plan(&queues(2))).len(), 2);
    }

    proptest::proptest! {
        #[test]
        fn no_file_is_too_strange_to_be_read_as_a_plan(text in crate::fake::mangled::mangled(PLAN)) {
            if let Ok(saved) = SavedPlan::parse(&text) {
                saved.compare(&saved.plan);
                saved.plan.shown().legible();
            }
        }
    }

    #[test]
    fn a_stale_plan_names_what_was_changed() {
        let account = Account::default();
        let plan = account.plan(&queues(1));
        let wanted = "is wanted in another way than when the plan was made";
        assert_eq!(
            stale(&plan, &account.plan(&queues(2))),
            [format!("`Orders` {wanted}"), format!("`Refunds` {wanted}")]
        );
        account.apply(&queues(1)).expect("nothing crashes");
        assert_eq!(
            stale(&plan, &account.plan(&queues(1))),
            ["`Orders` needs no change any more", "`Refunds` needs no change any more"]
        );
        let plan = account.plan(&queues(2));
        account.aws.meddle(QUEUE, |queue| {
            if queue["QueueName"].as_str().is_some_and(|name| name.contains("Orders")) {
                queue["VisibilityTimeout"] = json!(60);
            }
        });
        let changed = "was changed in AWS since the plan was made";
        assert_eq!(stale(&plan, &account.plan(&queues(2))), [format!("`Orders` {changed}")]);
        let nothing = account.plan(&queues(1));
        let plan = Plan { steps: Vec::new(), ..nothing.clone() };
        assert_eq!(stale(&plan, &nothing), ["`Orders` is not in the plan, and now is an update"]);
    }

    fn inputs(desired: &Desired) -> Inputs<'_> {
        Inputs { template: "", secrets: desired.graph.secrets().collect() }
    }

    #[test]
    fn a_saved_plan_holds_no_secret_and_knows_another_one() {
        const TEMPLATE: &str = "
Parameters: {Secret: {Type: String, NoEcho: true}}
Resources: {News: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Secret}}}";
        let with = |secret| desired_with(TEMPLATE, &[("Secret", secret)]);
        let (one, other) = (with("hunter2hunter2"), with("swordfish"));
        let saved = saved(&Account::default().plan(&one), &inputs(&one));
        let text = serde_json::to_string(&saved).expect("a plan is plain data");
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(saved.other_secrets(&inputs(&one)), [""; 0]);
        assert_eq!(saved.other_secrets(&inputs(&other)), ["Secret"]);
    }
}
