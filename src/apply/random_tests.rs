//! Whatever the templates, and whatever goes wrong: running paystack again makes AWS as the template says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;

use crate::desired::Desired;
use crate::fake::Trouble;
use crate::fake::line::{Account, desired, text_of};
use crate::fake::worlds::{Template, templates};
use crate::plan::{Options, Step};

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
