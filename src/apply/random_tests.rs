//! Whatever the templates, and whatever goes wrong: running paystack again makes AWS as the template says.

use std::collections::BTreeMap;

use fancy_regex::Regex;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use crate::desired::Desired;
use crate::fake::Trouble;
use crate::fake::line::{Account, desired, text_of};
use crate::fake::worlds::{Template, templates};
use crate::plan::{Options, Step};
use crate::resource::TYPES;

/// As many cases as `PROPTEST_CASES` says, else few enough for every day.
fn cases(usual: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let is_asked_for = default.cases != 256;
    ProptestConfig {
        cases: if is_asked_for { default.cases } else { usual },
        failure_persistence: None,
        max_shrink_iters: 3000,
        ..default
    }
}

fn want(template: &Template) -> Desired {
    desired(&template.text())
}

/// Nothing to do, with the ledger and without; and what is there is what the template declares, one of each.
fn is_as_wanted(account: &Account, wanted: &Desired) -> Result<(), TestCaseError> {
    let plan = account.plan(wanted);
    prop_assert!(plan.is_empty(), "{}", text_of(&plan));
    let forgetful = account.forgetful_plan(wanted);
    prop_assert!(forgetful.is_empty(), "without a ledger: {}", text_of(&forgetful));
    let copies = account.aws.copies();
    let doubled: BTreeMap<_, _> = copies.iter().filter(|(_, count)| **count > 1).collect();
    prop_assert!(doubled.is_empty(), "more than one of {doubled:?}");
    prop_assert_eq!(account.aws.things().len(), wanted.graph.resources.len(), "there is {:?}", account.aws.things());
    Ok(())
}

fn applies(account: &Account, wanted: &Desired) -> Result<(), TestCaseError> {
    let plan = account.plan(wanted);
    let report = account.carry_out(&plan, wanted).expect("nothing crashes");
    prop_assert!(report.is_complete(), "{}\n{:#?}\n{:#?}", text_of(&plan), report.failed, report.skipped);
    Ok(())
}

fn is_destroyed(account: &Account, wanted: &Desired) -> Result<(), TestCaseError> {
    let plan = account.destruction(wanted);
    let report = account.carry_out(&plan, &wanted.nothing()).expect("nothing crashes");
    prop_assert!(report.is_complete(), "{}\n{:#?}", text_of(&plan), report.failed);
    prop_assert_eq!(account.aws.things(), Vec::<String>::new());
    Ok(())
}

fn troubles() -> impl Strategy<Value = Trouble> {
    prop::sample::select(Trouble::ALL.to_vec())
}

/// Something goes wrong at one call of an apply; whether the ledger is lost as well is the second.
fn stumble(account: &Account, wanted: &Desired, at: usize, trouble: Trouble) {
    account.aws.fail_at(at, trouble);
    account.apply(wanted);
    account.aws.recover();
}

/// What happens between two applies.
#[derive(Debug, Clone)]
enum Mishap {
    Nothing,
    /// The apply goes wrong at one call.
    Trouble(usize, Trouble),
    /// The apply is interrupted when so many tasks have ended.
    Interrupted(usize),
    /// Somebody deletes something.
    Lost(usize),
    /// Somebody changes every queue, table and function.
    Changed,
}

fn mishaps() -> impl Strategy<Value = Mishap> {
    prop_oneof![
        Just(Mishap::Nothing),
        (0..30_usize, troubles()).prop_map(|(at, trouble)| Mishap::Trouble(at, trouble)),
        (1..12_usize).prop_map(Mishap::Interrupted),
        any::<usize>().prop_map(Mishap::Lost),
        Just(Mishap::Changed),
    ]
}

fn step(account: &Account, wanted: &Desired, mishap: &Mishap) {
    match mishap {
        Mishap::Nothing => _ = account.apply(wanted),
        Mishap::Trouble(at, trouble) => stumble(account, wanted, *at, *trouble),
        Mishap::Interrupted(ended) => _ = account.carry_out_until(&account.plan(wanted), wanted, *ended),
        Mishap::Lost(dice) => {
            account.apply(wanted);
            account.aws.lose_some(*dice);
        }
        Mishap::Changed => {
            account.apply(wanted);
            account.aws.meddle("AWS::SQS::Queue", |queue| queue["DelaySeconds"] = 7.into());
            account.aws.meddle("AWS::DynamoDB::Table", |table| table["DeletionProtectionEnabled"] = true.into());
            account.aws.meddle("AWS::Lambda::Function", |function| function["MemorySize"] = 3_008.into());
        }
    }
}

/// A value as text, its keys in order of name: two accounts may have come to it on different ways.
fn in_order(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, String> = fields.iter().map(|(key, it)| (key, in_order(it))).collect();
            format!("{fields:?}")
        }
        Value::Array(items) => format!("{:?}", items.iter().map(in_order).collect::<Vec<_>>()),
        value => value.to_string(),
    }
}

/// All that is there, each with all of its properties, but for the numbers in what AWS invents.
fn everything(account: &Account) -> Vec<String> {
    let kinds = TYPES.iter().filter_map(|row| row.handler.resource_type().rsplit("::").next());
    let kinds: Vec<String> = kinds.map(str::to_lowercase).collect();
    let invented = Regex::new(&format!(r"\b({})[0-9]+\b|:[0-9]{{1,4}}\b", kinds.join("|"))).expect("a pattern");
    let properties = account.aws.properties().into_iter();
    let mut all: Vec<String> = properties
        .map(|((resource_type, _), properties)| {
            format!("{resource_type} {}", invented.replace_all(&in_order(&properties), "(invented)"))
        })
        .collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(cases(6))]

    #[test]
    fn from_any_template_to_any_other_and_to_nothing(
        old in templates(),
        new in templates(),
        replaced in prop::collection::vec(any::<Index>(), 0..3),
        seed: u64,
    ) {
        let account = Account::default();
        account.aws.shuffle(seed);
        let (old, ids) = (want(&old), new.ids().map(str::to_owned).collect::<Vec<_>>());
        let new = want(&new);
        applies(&account, &old)?;
        is_as_wanted(&account, &old)?;
        let replace = replaced.iter().filter(|_| !ids.is_empty()).map(|it| it.get(&ids).as_str().into()).collect();
        let options = Options { replace, ..Options::default() };
        let plan = account.plan_with(&new, &options);
        let report = account.carry_out(&plan, &new).expect("nothing crashes");
        prop_assert!(report.is_complete(), "{}\n{:#?}\n{:#?}", text_of(&plan), report.failed, report.skipped);
        is_as_wanted(&account, &new)?;
        is_destroyed(&account, &new)?;
    }

    #[test]
    fn what_goes_wrong_at_one_call_is_repaired_by_the_next_run(
        old in templates(),
        new in templates(),
        at in 0..30_usize,
        trouble in troubles(),
        loses_ledger: bool,
        goes_back: bool,
        seed: u64,
    ) {
        let account = Account::default();
        account.aws.shuffle(seed);
        let (old, new) = (want(&old), want(&new));
        applies(&account, &old)?;
        stumble(&account, &new, at, trouble);
        let wanted = if goes_back { &old } else { &new };
        if loses_ledger {
            account.ledgers.lose();
            let plan = account.plan(wanted);
            account.aws.tidy_up(|resource_type, id| {
                let is_it = |step: &Step| &step.resource_type == resource_type && step.physical_id.as_ref() == Some(id);
                plan.steps.iter().any(is_it)
            });
        }
        applies(&account, wanted)?;
        is_as_wanted(&account, wanted)?;
        is_destroyed(&account, wanted)?;
    }

    #[test]
    fn a_walk_through_any_templates_ends_where_a_fresh_start_does(
        walk in prop::collection::vec((templates(), mishaps()), 1..4),
        last in templates(),
        seed: u64,
    ) {
        let account = Account::default();
        account.aws.shuffle(seed);
        for (template, mishap) in &walk {
            step(&account, &want(template), mishap);
        }
        let last = want(&last);
        applies(&account, &last)?;
        is_as_wanted(&account, &last)?;
        let fresh = Account::default();
        applies(&fresh, &last)?;
        prop_assert_eq!(everything(&account), everything(&fresh));
        is_destroyed(&account, &last)?;
    }

    #[test]
    fn what_goes_wrong_while_destroying_is_repaired_by_the_next_destroy(
        template in templates(),
        at in 0..30_usize,
        trouble in troubles(),
        loses_ledger: bool,
        seed: u64,
    ) {
        let account = Account::default();
        account.aws.shuffle(seed);
        let wanted = want(&template);
        applies(&account, &wanted)?;
        account.aws.fail_at(at, trouble);
        account.destroy(&wanted);
        account.aws.recover();
        if loses_ledger {
            account.ledgers.lose();
        }
        is_destroyed(&account, &wanted)?;
    }

    #[test]
    fn what_was_deleted_outside_comes_back(
        template in templates(),
        lost in prop::collection::vec(any::<usize>(), 1..4),
        loses_ledger: bool,
    ) {
        let account = Account::default();
        let wanted = want(&template);
        applies(&account, &wanted)?;
        lost.into_iter().for_each(|dice| account.aws.lose_some(dice));
        if loses_ledger {
            account.ledgers.lose();
        }
        applies(&account, &wanted)?;
        is_as_wanted(&account, &wanted)?;
    }

    #[test]
    fn the_order_of_a_template_says_nothing(old in templates(), new in templates()) {
        let account = Account::default();
        applies(&account, &want(&old))?;
        let text = |template: &str| {
            let mut steps: Vec<_> = account.plan(&desired(template)).steps;
            steps.sort_by_key(|step| (step.logical_id.clone(), step.physical_id.clone()));
            steps.iter().map(|step| serde_json::to_string(step).expect("a step is data")).collect::<Vec<_>>()
        };
        prop_assert_eq!(text(&new.text()), text(&new.reversed()));
    }
}
