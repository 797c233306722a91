//! `paystack evidence`: what is live, as evidence for PCI DSS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use clap::Args;
use futures::future::BoxFuture;

use crate::aws::error::AwsError;
use crate::aws::observer::{Attempt, Observer, WorkId};
use crate::aws::survey::Expected;
use crate::cli::arguments::{CONCURRENCY, PlanFormat, StackArguments};
use crate::cli::stack::{Opened, open};
use crate::cli::{CliError, Exit, World, rules, view};
use crate::evidence::{self, ReadBy, Report, Seen, Status, compare};
use crate::identity::{LogicalId, PhysicalId, ResourceType, StackId};
use crate::inventory::{self, Identity, Reader, Stray};
use crate::plan::{self, Options};
use crate::resource::live::AwsReader;
use crate::resource::{Contents, Reading};
use crate::state::Ledger;
use crate::text_file;

#[derive(Debug, Clone, Args)]
pub struct EvidenceArguments {
    #[command(flatten)]
    pub stack: StackArguments,
    /// Show what differs from an earlier report, which was written with `--format json`.
    #[arg(long, value_name = "REPORT")]
    pub since: Option<PathBuf>,
    /// With `--since`: take this later report, and ask nothing of AWS.
    #[arg(long, value_name = "REPORT", requires = "since")]
    pub until: Option<PathBuf>,
    /// How the report is shown.
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub format: PlanFormat,
}

/// How large a report may be.
const LARGEST_BYTES: u64 = 32 * 1024 * 1024;

pub async fn show(arguments: &EvidenceArguments, world: &mut World) -> Result<Exit, CliError> {
    let earlier = arguments.since.as_deref().map(|path| load(path, world)).transpose()?;
    let later = match &arguments.until {
        Some(path) => load(path, world)?,
        None => gather(&open(&arguments.stack, world).await?, world).await?,
    };
    match earlier {
        Some(earlier) => view::compared(world, &compare(&earlier, &later), arguments.format)?,
        None => view::evidence(world, &later, arguments.format)?,
    }
    let is_whole = later.count(Status::Fail) + later.count(Status::Unreadable) == 0;
    Ok(if is_whole { Exit::Done } else { Exit::Failed })
}

/// Reads everything, and keeps which call has read what.
async fn gather(stack: &Opened, world: &World) -> Result<Report, CliError> {
    stack.observer.keep_attempts();
    let ledger = stack.ledger(world).await?;
    let reader = ObservedReader { reader: &stack.reader, observer: stack.observer.clone(), read: Mutex::default() };
    // What nobody remembers is searched for as well: a method that somebody has added is evidence too.
    let known = Ledger { is_remembered: false, ..ledger.clone() };
    let inventory = inventory::take(&stack.desired, &known, &reader, CONCURRENCY.into()).await;
    let findings = rules::judge(stack.rules.as_ref(), &stack.desired, &stack.source)?;
    let plan = plan::diff(&stack.desired, &inventory, &ledger, &Options::default());
    let read_by = reader.read_by(&stack.observer.attempts());
    let seen = Seen {
        desired: &stack.desired,
        inventory: &inventory,
        plan: &plan,
        findings: &findings,
        read_by: &read_by,
        at: world.clock.now(),
    };
    Ok(evidence::report(&seen))
}

fn load(path: &Path, world: &World) -> Result<Report, CliError> {
    let text = text_file::read(&world.directory.join(path), LARGEST_BYTES)
        .map_err(|source| CliError::UnreadableReport { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|source| CliError::NoReport { path: path.to_owned(), source })
}

/// A reader whose calls are told apart by the resource that they were made for.
struct ObservedReader<'a> {
    reader: &'a AwsReader,
    observer: Observer,
    /// By the number of the work.
    read: Mutex<Vec<LogicalId>>,
}

impl ObservedReader<'_> {
    fn begin(&self, id: &LogicalId) -> WorkId {
        let mut read = self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        read.push(id.clone());
        WorkId(read.len() - 1)
    }

    fn read_by(&self, attempts: &[Attempt]) -> BTreeMap<LogicalId, Vec<ReadBy>> {
        let read = self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut read_by: BTreeMap<LogicalId, Vec<ReadBy>> = BTreeMap::new();
        for attempt in attempts.iter().filter(|attempt| !attempt.has_failed) {
            let Some(id) = attempt.by.and_then(|WorkId(number)| read.get(number)) else { continue };
            read_by.entry(id.clone()).or_default().push(ReadBy {
                operation: format!("{}.{}", attempt.service, attempt.operation),
                request_id: attempt.request_id.clone(),
                at: attempt.at,
            });
        }
        read_by
    }
}

impl Reader for ObservedReader<'_> {
    /// What one call answers for many resources is nobody's own evidence: here each is asked for by itself.
    fn survey(&self, _expected: Expected) -> Box<dyn Reader + '_> {
        Box::new(self)
    }

    fn read<'a>(&'a self, what: &'a Identity) -> BoxFuture<'a, Reading> {
        let by = self.begin(&what.owner.resource);
        Box::pin(self.observer.at_work(by, self.reader.read(what)))
    }

    fn sweep<'a>(&'a self, stack: &'a StackId) -> BoxFuture<'a, Result<Vec<Stray>, AwsError>> {
        self.reader.sweep(stack)
    }

    fn parts<'a>(
        &'a self,
        whole: &'a ResourceType,
        id: &'a PhysicalId,
    ) -> BoxFuture<'a, Result<Vec<(ResourceType, PhysicalId)>, AwsError>> {
        self.reader.parts(whole, id)
    }

    fn contents<'a>(
        &'a self,
        resource_type: &'a ResourceType,
        id: &'a PhysicalId,
    ) -> BoxFuture<'a, Result<Option<Contents>, AwsError>> {
        self.reader.contents(resource_type, id)
    }
}
