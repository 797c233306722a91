//! Reading and writing real resources: the two handles that the rest of paystack has on AWS.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{BoxFuture, join_all};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::apply::{Done, Work, Writer};
use crate::aws::Context;
use crate::aws::deployed::{DeployedResource, DeployedStack};
use crate::aws::error::{AwsError, ErrorClass};
use crate::aws::survey::Expected;
use crate::aws::wait::Patience;
use crate::identity::{LogicalId, PhysicalId, ResourceType, StackId};
use crate::inventory::{Identity, Reader, Stray};
use crate::migrate::ids;
use crate::plan::residue::Names;
use crate::resource::apigateway;
use crate::resource::lost::until_answered;
use crate::resource::{Contents, LiveResource, Owner, Ownership, Reading, Resource, Row, TYPES, row};
use crate::resource::{tags, unmarked};
use crate::unknown;

/// Reads AWS. Cannot change it.
pub struct AwsReader {
    cx: Arc<Context>,
    /// Where the reader is one look at everything: what asks again until something shows asks here.
    fresh: Arc<Context>,
    /// What another tool says that it has deployed.
    told: BTreeMap<LogicalId, Told>,
}

/// How another tool names something that it has deployed.
#[derive(Clone)]
enum Told {
    ByCloudFormation(DeployedResource),
    AsHere { resource_type: ResourceType, id: PhysicalId },
}

/// Whether one call has deleted several, once it is answered.
type Gone = Arc<OnceCell<bool>>;

/// Changes AWS.
pub struct AwsWriter {
    cx: Arc<Context>,
    /// Whether what goes together is gone, by the first of it.
    gone_together: Mutex<HashMap<(ResourceType, PhysicalId), Gone>>,
}

impl AwsReader {
    pub fn new(cx: Arc<Context>) -> Self {
        Self { fresh: Arc::clone(&cx), cx, told: BTreeMap::new() }
    }

    /// Takes CloudFormation's word for what is whose. What is found so is nobody's until it is adopted.
    pub fn believe_cloudformation(&mut self, stack: &DeployedStack) {
        let told = |(id, it): (&LogicalId, &DeployedResource)| (id.clone(), Told::ByCloudFormation(it.clone()));
        self.told = stack.resources.iter().map(told).collect();
    }

    /// Takes another tool's word, where it says by which identifiers of ours. What is found so is nobody's until it is adopted.
    pub fn believe(&mut self, resources: impl IntoIterator<Item = (LogicalId, ResourceType, PhysicalId)>) {
        let told = |(logical_id, resource_type, id)| (logical_id, Told::AsHere { resource_type, id });
        self.told = resources.into_iter().map(told).collect();
    }

    /// The names of all in the account that carries no marks and may be a stack's or AWS's own.
    pub async fn unmarked(&self) -> Names {
        unmarked::names(&self.cx).await
    }

    /// What another tool knows by an identifier of its own.
    fn told(&self, what: &Identity) -> Option<PhysicalId> {
        match self.told.get(&what.owner.resource)? {
            Told::ByCloudFormation(DeployedResource { resource_type, physical_id }) => {
                let wanted = what.wanted.as_ref().filter(|_| *resource_type == what.resource_type)?;
                ids::ours(what.resource_type.as_str(), physical_id, wanted)
            }
            Told::AsHere { resource_type, id } => (*resource_type == what.resource_type).then(|| id.clone()),
        }
    }

    async fn look(&self, what: &Identity) -> Result<Option<LiveResource>, AwsError> {
        let handler = handled(&what.resource_type)?.handler;
        if let Some(id) = what.physical_id.clone().or_else(|| self.told(what)).as_ref()
            && let Some(live) = handler.read(&self.cx, id).await?
        {
            return Ok(Some(live));
        }
        let Some(wanted) = &what.wanted else { return Ok(None) };
        let (cx, id) = if what.was_asked_for && may_show_late(handler, wanted) {
            (&self.fresh, self.look_for_made(handler, &what.owner, wanted).await?)
        } else {
            (&self.cx, handler.find(&self.cx, &what.owner, wanted).await?)
        };
        match id {
            Some(id) => handler.read(cx, &id).await,
            None => Ok(None),
        }
    }

    /// What an earlier run asked for, and of which it saw no answer. A second one must not be made.
    async fn look_for_made(
        &self,
        handler: &dyn Resource,
        owner: &Owner,
        wanted: &Value,
    ) -> Result<Option<PhysicalId>, AwsError> {
        let look = || handler.find_made(&self.fresh, owner, wanted);
        match until_listed(&self.fresh, handler, look).await? {
            Some(id) => Ok(Some(id)),
            None => handler.find(&self.fresh, owner, wanted).await,
        }
    }

    /// What the tagging API knows. Its answers lag: everything found is read before it is believed.
    async fn tagged(&self, stack: &StackId) -> Result<Vec<Stray>, AwsError> {
        let mut strays = Vec::new();
        for (arn, tags) in tags::marked(&self.cx, stack).await?.iter() {
            let Some(owner) = tags.owner() else { continue };
            for row in TYPES.iter().filter(|row| row.handler.tagged_as().is_some()) {
                if let Some(physical_id) = row.handler.identify(&self.cx, arn).await? {
                    let resource_type = ResourceType::from(row.handler.resource_type());
                    strays.push(Stray { owner, resource_type, physical_id });
                    break;
                }
            }
        }
        Ok(strays)
    }
}

impl Reader for AwsReader {
    fn survey(&self, expected: Expected) -> Box<dyn Reader + '_> {
        Box::new(Self {
            cx: Arc::new(self.fresh.surveying(expected)),
            fresh: Arc::clone(&self.fresh),
            told: self.told.clone(),
        })
    }

    fn read<'a>(&'a self, what: &'a Identity) -> BoxFuture<'a, Reading> {
        Box::pin(async move {
            match self.look(what).await {
                Ok(Some(live)) => Reading::Live(live),
                Ok(None) => Reading::Absent,
                Err(error) => Reading::Unreadable(error),
            }
        })
    }

    fn sweep<'a>(&'a self, stack: &'a StackId) -> BoxFuture<'a, Result<Vec<Stray>, AwsError>> {
        Box::pin(async move {
            let marked = join_all(TYPES.iter().map(|row| async move {
                let found = row.handler.sweep(&self.cx, stack).await?;
                let resource_type = ResourceType::from(row.handler.resource_type());
                Ok(found.into_iter().map(move |(owner, physical_id)| Stray {
                    owner,
                    resource_type: resource_type.clone(),
                    physical_id,
                }))
            }));
            let (tagged, marked) = futures::join!(self.tagged(stack), marked);
            let mut strays = tagged?;
            for found in marked {
                strays.extend(found?);
            }
            strays.sort_by(|one, other| {
                (&one.owner.resource, &one.physical_id).cmp(&(&other.owner.resource, &other.physical_id))
            });
            strays.dedup();
            Ok(strays)
        })
    }

    fn parts<'a>(
        &'a self,
        whole: &'a ResourceType,
        id: &'a PhysicalId,
    ) -> BoxFuture<'a, Result<Vec<(ResourceType, PhysicalId)>, AwsError>> {
        Box::pin(async move {
            let mut parts = Vec::new();
            for row in TYPES.iter().filter(|row| row.handler.within() == Some(whole.as_str())) {
                let resource_type = ResourceType::from(row.handler.resource_type());
                let listed = row.handler.list_within(&self.cx, id).await?;
                parts.extend(listed.into_iter().map(|id| (resource_type.clone(), id)));
            }
            Ok(parts)
        })
    }

    fn contents<'a>(
        &'a self,
        resource_type: &'a ResourceType,
        id: &'a PhysicalId,
    ) -> BoxFuture<'a, Result<Option<Contents>, AwsError>> {
        Box::pin(async move { handled(resource_type)?.handler.contents(&self.cx, id).await })
    }

    fn served<'a>(&'a self, stage: &'a PhysicalId) -> BoxFuture<'a, Result<Option<Value>, AwsError>> {
        Box::pin(apigateway::stage::export(&self.cx, stage))
    }
}

impl AwsWriter {
    pub fn new(cx: Arc<Context>) -> Self {
        Self { cx, gone_together: Mutex::default() }
    }

    /// Deletes what goes in one call, for whoever comes first. Whether it is gone: where it is not, each goes by itself.
    async fn delete_together(&self, handler: &dyn Resource, together: &[PhysicalId]) -> bool {
        let Some(first) = together.first() else { return false };
        let gone = {
            let mut all = self.gone_together.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry((handler.resource_type().into(), first.clone())).or_default())
        };
        *gone.get_or_init(|| async { handler.delete_together(&self.cx, together).await.is_ok() }).await
    }

    /// A create takes what it finds for what an interrupted create left, or overwrites it: that must be ours. The plan has
    /// not seen it, where a name was changed to one that is taken, or was taken since.
    async fn what_is_there(
        &self,
        handler: &dyn Resource,
        owner: &Owner,
        wanted: &Value,
        is_again: bool,
    ) -> Result<Option<PhysicalId>, AwsError> {
        let look = || handler.find_made(&self.cx, owner, wanted);
        let found = match is_again && may_show_late(handler, wanted) {
            true => until_listed(&self.cx, handler, look).await?,
            false => look().await?,
        };
        let Some(id) = found else { return Ok(None) };
        let Some(live) = handler.read(&self.cx, &id).await? else { return Ok(None) };
        let whose = match &live.ownership {
            Ownership::Unmarkable => return Ok(Some(id)),
            Ownership::Owned(found) if found == owner => return Ok(Some(id)),
            Ownership::Owned(found) => format!("belongs to the stack `{}` (as `{}`)", found.stack, found.resource),
            Ownership::Unmarked if is_made_by_aws(handler, &id) => return Ok(Some(id)),
            Ownership::Unmarked => "was not made by paystack".to_owned(),
        };
        let message = format!(
            "`{id}` exists and {whose}: give `{}` another name, or take it over with `--adopt`",
            owner.resource
        );
        Err(AwsError::new(handler.resource_type(), ErrorClass::AlreadyExists, message))
    }

    /// `is_again`: an earlier attempt has had no answer, or was told that something is there.
    async fn work(&self, work: &Work, is_again: bool) -> Result<Done, AwsError> {
        match work {
            Work::Create { owner, resource_type, wanted, within_new } => {
                let handler = handled(resource_type)?.handler;
                let made = match handler.make_new(&self.cx, owner, wanted).await? {
                    Some(made) => made,
                    None if *within_new && !is_again => handler.create(&self.cx, owner, wanted, None).await?,
                    None => {
                        let left = self.what_is_there(handler, owner, wanted, is_again).await?;
                        handler.create(&self.cx, owner, wanted, left).await?
                    }
                };
                Ok(Done::Created { id: made.id, attributes: made.attributes })
            }
            Work::Update { owner, resource_type, id, wanted, changes } => {
                let row = handled(resource_type)?;
                let id = row.handler.update(&self.cx, owner, id, wanted, changes).await?;
                self.read(row, id).await
            }
            Work::Delete { resource_type, id, together } => {
                let handler = handled(resource_type)?.handler;
                if !self.delete_together(handler, together).await {
                    handler.delete(&self.cx, id).await?;
                }
                Ok(Done::Deleted)
            }
        }
    }

    async fn read(&self, row: &Row, id: PhysicalId) -> Result<Done, AwsError> {
        let live = row.handler.read(&self.cx, &id).await?;
        let attributes = live.map(|live| live.attributes).unwrap_or_default();
        Ok(Done::Updated { id, attributes })
    }
}

impl Writer for AwsWriter {
    fn run<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Result<Done, AwsError>> {
        let is_again = AtomicBool::new(false);
        Box::pin(until_answered(self.cx.clock.as_ref(), move || {
            self.work(work, is_again.swap(true, Ordering::Relaxed))
        }))
    }
}

/// For how long lists may lack what was made a moment ago. No number is published; they lag for a second or two.
const LISTS_LAG: Patience = Patience::seconds(10);

/// Looks for what was asked for, and of which no answer was seen, until lists have had the time to show it.
async fn until_listed<F>(
    cx: &Context,
    handler: &dyn Resource,
    look: impl Fn() -> F,
) -> Result<Option<PhysicalId>, AwsError>
where
    F: Future<Output = Result<Option<PhysicalId>, AwsError>> + Send,
{
    match cx.until(handler.resource_type(), "what was asked for to show", LISTS_LAG, look).await {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.class == ErrorClass::Deadline => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether only lists tell what a create has made. Where what it is a part of is not there, it is not there either.
fn may_show_late(handler: &dyn Resource, wanted: &Value) -> bool {
    let is_unknown = |name: &&str| wanted.get(name).is_some_and(unknown::is_within);
    handler.creates_another() && !handler.found_by().iter().any(is_unknown)
}

/// A function that ran before its log group was made has one of its own, without tags.
fn is_made_by_aws(handler: &dyn Resource, id: &PhysicalId) -> bool {
    handler.resource_type() == "AWS::Logs::LogGroup" && id.as_str().starts_with("/aws/lambda/")
}

fn handled(resource_type: &ResourceType) -> Result<&'static Row, AwsError> {
    row(resource_type).ok_or_else(|| {
        AwsError::new("read", ErrorClass::Invalid, format!("paystack does not handle `{resource_type}`"))
    })
}
