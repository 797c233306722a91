//! What live resources hold on to: the ledger remembers it, and what refers to another by an id or an ARN shows it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use aho_corasick::{AhoCorasick, Match};
use serde_json::Value;

use crate::identity::{LogicalId, ResourceType};
use crate::plan::{Action, Hold, Step};
use crate::resource::LiveResource;
use crate::state::Ledger;

/// A name that is shorter is only believed where it stands alone.
const TELLING: usize = 8;

/// For every step, what its live resource holds on to among what goes.
pub fn held(steps: &[Step], ledger: &Ledger) -> Vec<BTreeMap<LogicalId, Hold>> {
    let names = Names::of(steps);
    let of_step = |step: &Step| {
        let Some(live) = &step.live else { return BTreeMap::new() };
        let record = ledger.resources.get(&step.logical_id).filter(|record| record.resource_type == step.resource_type);
        let remembered = record.into_iter().flat_map(|record| &record.dependencies);
        let departing = step.dependencies.iter().filter(|_| step.desired.is_none());
        let mut held: BTreeMap<LogicalId, Hold> =
            remembered.chain(departing).map(|id| (id.clone(), Hold::Waited)).collect();
        names.look_in(&live.properties, &mut |name, named| {
            for (resource_type, targets) in named {
                // Inline policies of one name on many roles name only themselves.
                let is_own_name = **resource_type == step.resource_type && is_called(live, name);
                if !is_own_name {
                    let hold = if is_unmistakable(name) { Hold::Refers } else { Hold::Mentions };
                    for target in targets {
                        let known = held.entry(target.logical_id.clone()).or_insert(hold);
                        *known = hold.min(*known);
                    }
                }
            }
        });
        held.remove(&step.logical_id);
        held
    };
    steps.iter().map(of_step).collect()
}

/// What has a name, by its type.
type Named<'a> = BTreeMap<&'a ResourceType, Vec<&'a Step>>;

/// The texts by which what goes is referred to.
#[derive(Default)]
struct Names<'a> {
    whole: BTreeMap<&'a str, Named<'a>>,
    /// Those that are found in the middle of a longer text too.
    telling: Vec<&'a str>,
    /// Finds all of these at once.
    searcher: Option<AhoCorasick>,
}

impl<'a> Names<'a> {
    fn of(steps: &'a [Step]) -> Self {
        let mut names = Self::default();
        let goes = |step: &&Step| matches!(step.action, Action::Delete { .. } | Action::Replace { .. });
        for step in steps.iter().filter(goes) {
            let Some(live) = &step.live else { continue };
            for name in called(live).collect::<BTreeSet<&str>>() {
                names.whole.entry(name).or_default().entry(&step.resource_type).or_default().push(step);
            }
        }
        names.telling = names.whole.keys().copied().filter(|name| name.len() >= TELLING).collect();
        // There is none for more text than memory has room for.
        names.searcher = AhoCorasick::new(&names.telling).ok();
        names
    }

    /// Tells every name that is found in a value, and whose it is.
    fn look_in(&self, value: &Value, found: &mut dyn FnMut(&str, &Named<'a>)) {
        match value {
            Value::String(text) => {
                if let Some(named) = self.whole.get(text.as_str()) {
                    return found(text, named);
                }
                let names = self.within(text).into_iter();
                names.filter_map(|name| Some((name, self.whole.get(name)?))).for_each(|(name, it)| found(name, it));
            }
            Value::Array(items) => items.iter().for_each(|item| self.look_in(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| self.look_in(field, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The names in a text, but for those that are only part of another's: `orders-1-board` is no mention of `orders-1`.
    fn within(&self, text: &str) -> Vec<&'a str> {
        let matches = self.searcher.iter().flat_map(|searcher| searcher.find_overlapping_iter(text));
        let mut matches: Vec<Match> = matches.filter(|found| stands_alone(text, found.range())).collect();
        matches.sort_by_key(|found| (found.start(), Reverse(found.end())));
        let mut covered = 0;
        matches.retain(|found| {
            let is_part = found.end() <= covered;
            covered = covered.max(found.end());
            !is_part
        });
        matches.iter().filter_map(|found| self.telling.get(found.pattern().as_usize()).copied()).collect()
    }
}

/// By what others may name a resource: its attributes, and its identifier.
fn called(live: &LiveResource) -> impl Iterator<Item = &str> {
    live.attributes.values().filter_map(Value::as_str).chain([live.id.as_str()])
}

fn is_called(live: &LiveResource, name: &str) -> bool {
    called(live).any(|it| it == name)
}

/// Whether it was made to be one of a kind: what has it in it means that, or a part of it.
fn is_unmistakable(name: &str) -> bool {
    name.starts_with("arn:") || name.contains("://")
}

/// Whether what is found in a text is no part of a longer word: `orders-1` is another's name than `orders-10`.
fn stands_alone(text: &str, found: Range<usize>) -> bool {
    let is_word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    let before = text.get(..found.start).and_then(|before| before.chars().next_back());
    let after = text.get(found.end..).and_then(|after| after.chars().next());
    !is_word(before) && !is_word(after)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::apply::schedule;
    use crate::aws::Scope;
    use crate::plan::{Gone, Plan, Remarks};
    use crate::resource::Ownership;

    /// What goes, of which this is the name and all that it refers to.
    fn goes(logical_id: &str, resource_type: &str, name: &str, refers: &str) -> Step {
        let live = LiveResource {
            id: name.into(),
            properties: json!({"RefersTo": refers}),
            attributes: BTreeMap::new(),
            ownership: Ownership::Unmarkable,
        };
        let action = Action::Delete { why: Gone::Destroyed };
        Step { live: Some(live), ..Step::new(logical_id.into(), resource_type.into(), action) }
    }

    #[test]
    fn what_has_a_name_together_is_held_together() {
        let held_of = |count: usize| {
            let model = |number| goes(&format!("Model{number}"), "AWS::ApiGateway::Model", "Order", "");
            let mut steps: Vec<Step> = (0..count).map(model).collect();
            steps.push(goes("Method", "AWS::ApiGateway::Method", "api|orders|POST", "Order"));
            held(&steps, &Ledger::empty("it".into(), String::new())).pop().unwrap_or_default().len()
        };
        assert_eq!([0, 1, 20].map(held_of), [0, 1, 20]);
    }

    #[test]
    fn what_is_called_alike_does_not_refer_to_each_other() {
        let policy = |id| goes(id, "AWS::IAM::Policy", "logs", "logs");
        assert_eq!(
            held(&[policy("One"), policy("Other")], &Ledger::empty("it".into(), String::new())),
            [BTreeMap::new(), BTreeMap::new()]
        );
    }

    #[test]
    fn a_function_goes_before_its_role_and_its_log_group_whatever_they_are_called() {
        const ROLE: &str = "arn:aws:iam::123456789012:role/book-us-east-1-dev";
        const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:book-payment-dev";
        const GROUP: &str = "/aws/lambda/book-payment-dev";
        let with_arn = |mut step: Step, arn: &str| {
            step.live.iter_mut().for_each(|live| _ = live.attributes.insert("Arn".to_owned(), arn.into()));
            step
        };
        // Its inline policy is called like the function, or lets it call itself; the log group's name has the function's in it.
        for (policy, hold) in [("book-payment-dev", Hold::Mentions), (FUNCTION, Hold::Refers)] {
            let mut function = with_arn(goes("Book", "AWS::Lambda::Function", "book-payment-dev", ROLE), FUNCTION);
            function.dependencies = ["BookRole".into(), "Logs".into()].into();
            let role = with_arn(goes("BookRole", "AWS::IAM::Role", "book-us-east-1-dev", policy), ROLE);
            let mut steps = vec![function, role, goes("Logs", "AWS::Logs::LogGroup", GROUP, GROUP)];

            let held = held(&steps, &Ledger::empty("it".into(), String::new()));
            let [of_function, of_role, of_logs] = held.as_slice() else { panic!("one for each: {held:?}") };
            assert_eq!(*of_function, [("BookRole".into(), Hold::Refers), ("Logs".into(), Hold::Waited)].into());
            assert_eq!(*of_role, [("Book".into(), hold)].into());
            assert_eq!(*of_logs, BTreeMap::new());

            steps.iter_mut().zip(held).for_each(|(step, holds)| step.holds = holds);
            let scope =
                Scope { account_id: "123456789012".into(), region: "us-east-1".into(), partition: "aws".into() };
            let (left_out, problems, remarks) = (Vec::new(), Vec::new(), Remarks::default());
            let plan = Plan { stack: "it".into(), scope, steps, left_out, problems, remarks };
            let schedule = schedule(&plan);
            let first = schedule.in_order().first().map(|task| schedule.tasks[task.0].logical_id.clone());
            assert_eq!(first, Some("Book".into()), "{policy}");
        }
    }

    #[test]
    fn a_name_within_anothers_is_no_mention_of_it() {
        let dashboard = |id, name, refers| goes(id, "AWS::CloudWatch::Dashboard", name, refers);
        let both = "{\"markdown\": \"orders-1-board, and also orders-1\"}";
        let steps = [
            dashboard("Orders", "orders-1", "nothing"),
            dashboard("Board", "orders-1-board", "orders-1-board"),
            dashboard("Other", "orders-1-board-2", "{\"markdown\": \"orders-1-board\"}"),
            dashboard("Both", "overview", both),
        ];
        let held = held(&steps, &Ledger::empty("it".into(), String::new()));
        let held = held.iter().map(|it| it.keys().map(LogicalId::as_str).collect()).collect::<Vec<Vec<&str>>>();
        assert_eq!(held, [vec![], vec![], vec!["Board"], vec!["Board", "Orders"]]);
    }

    #[test]
    fn a_name_is_found_in_a_longer_text_but_not_in_a_longer_word() {
        let is_held = |text: &str| {
            let found = text.find("orders-1").expect("it is in the text");
            stands_alone(text, found..found + "orders-1".len())
        };
        for text in
            ["arn:aws:sqs:us-east-1:123456789012:orders-1", "/aws/lambda/orders-1", "orders-1-dlq", "ä orders-1"]
        {
            assert!(is_held(text), "{text}");
        }
        for text in ["orders-10", "preorders-1", "äorders-1"] {
            assert!(!is_held(text), "{text}");
        }
    }
}
