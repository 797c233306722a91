//! Two reports of one stack: what passed and no longer does, what passes now, and what is read otherwise.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Evidence, Report, Status};
use crate::identity::LogicalId;

/// What differs between an earlier report and a later one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    pub earlier: Timestamp,
    pub later: Timestamp,
    pub differences: Vec<Difference>,
}

/// One control at one resource that is not what it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    pub control: String,
    pub resource: LogicalId,
    pub field: String,
    /// `None` where there was none.
    pub was: Option<Side>,
    /// `None` where there is none any more.
    pub is: Option<Side>,
}

/// What a report says of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    pub status: Status,
    pub live: Value,
}

/// Compares by control and resource. Times and request ids are always others, and no difference.
pub fn compare(earlier: &Report, later: &Report) -> Comparison {
    let (before, after) = (by_place(earlier), by_place(later));
    let mut places: Vec<_> = before.keys().chain(after.keys()).collect();
    places.sort();
    places.dedup();
    let side = |evidence: &&Evidence| Side { status: evidence.status, live: evidence.live.clone() };
    let differences = places.into_iter().filter_map(|place| {
        let (was, is) = (before.get(place).map(side), after.get(place).map(side));
        let (control, resource, field) = place;
        (was != is).then(|| Difference {
            control: (*control).to_owned(),
            resource: (*resource).clone(),
            field: (*field).to_owned(),
            was,
            is,
        })
    });
    Comparison { earlier: earlier.at, later: later.at, differences: differences.collect() }
}

type Place<'a> = (&'a str, &'a LogicalId, &'a str);

fn by_place(report: &Report) -> BTreeMap<Place<'_>, &Evidence> {
    report.evidence.iter().map(|it| ((it.control.as_str(), &it.resource, it.field.as_str()), it)).collect()
}
