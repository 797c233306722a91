//! Handlers as everything outside of [`resource`](crate::resource) calls them: properties are plain values, and a type is chosen
//! when the program runs.

use std::marker::PhantomData;

use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use crate::aws::error::{AwsError, ErrorClass};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::{PhysicalId, StackId};
use crate::resource::{
    Attributes, Contents, Contribution, GeneratedName, Handler, LiveResource, Made, Mark, Owner, Ownership, Settled,
    plain, tags,
};
use crate::unknown;

/// A handler whose properties are plain values: what everything outside of this module calls.
pub trait Resource: Send + Sync {
    fn resource_type(&self) -> &'static str;
    fn found_by(&self) -> &'static [&'static str];
    fn generated_name(&self) -> Option<GeneratedName>;
    fn tagged_as(&self) -> Option<&'static str>;
    fn refused(&self) -> &'static [(&'static str, &'static str)];
    fn is_unique(&self) -> bool;
    fn deleted_together(&self) -> usize;
    fn creates_another(&self) -> bool;
    fn part_of(&self) -> &'static [&'static str];
    fn within(&self) -> Option<&'static str>;
    fn all_in(&self) -> Option<&'static str>;
    fn same_as(&self) -> Option<&'static str>;
    fn list_within<'a>(
        &'a self,
        cx: &'a Context,
        whole: &'a PhysicalId,
    ) -> BoxFuture<'a, Result<Vec<PhysicalId>, AwsError>>;
    fn also_create_only(&self) -> &'static [&'static str];
    fn secrets(&self) -> &'static [&'static str];
    fn replaced_by(&self, live: &Value, wanted: &Value) -> Option<&'static str>;
    fn unsettles(&self) -> &'static [(&'static str, &'static str)];
    /// The properties with every default filled in and everything whose order means nothing put in order.
    ///
    /// # Errors
    ///
    /// Says what does not fit the type.
    fn canonical(&self, properties: &Value) -> Result<Value, String>;
    fn predict(&self, scope: &Scope, wanted: &Value) -> Attributes;
    /// The properties in canonical form, and what follows from them: [`canonical`](Self::canonical),
    /// [`predict`](Self::predict) and [`contributions`](Self::contributions) in one.
    ///
    /// # Errors
    ///
    /// Says what does not fit the type.
    fn settled(&self, scope: &Scope, properties: Value) -> Result<Settled, String>;
    fn contributions(&self, scope: &Scope, wanted: &Value) -> Vec<Contribution>;
    /// Whether resources of the type put something into others.
    fn contributes(&self) -> bool;
    /// The live properties as they are to be compared with the wanted ones: without what other resources of the stack
    /// contributed, and in the words of what is wanted. `contributed` is what others contribute to this very resource.
    fn comparable(&self, live: &Value, wanted: &Value, contributed: &[Contribution]) -> Value;
    fn contents<'a>(&'a self, cx: &'a Context, id: &'a PhysicalId)
    -> BoxFuture<'a, Result<Option<Contents>, AwsError>>;
    fn identify<'a>(&'a self, cx: &'a Context, arn: &'a str) -> BoxFuture<'a, Result<Option<PhysicalId>, AwsError>>;
    fn find<'a>(
        &'a self,
        cx: &'a Context,
        owner: &'a Owner,
        wanted: &'a Value,
    ) -> BoxFuture<'a, Result<Option<PhysicalId>, AwsError>>;
    fn find_made<'a>(
        &'a self,
        cx: &'a Context,
        owner: &'a Owner,
        wanted: &'a Value,
    ) -> BoxFuture<'a, Result<Option<PhysicalId>, AwsError>>;
    fn read<'a>(&'a self, cx: &'a Context, id: &'a PhysicalId)
    -> BoxFuture<'a, Result<Option<LiveResource>, AwsError>>;
    fn make_new<'a>(
        &'a self,
        cx: &'a Context,
        owner: &'a Owner,
        wanted: &'a Value,
    ) -> BoxFuture<'a, Result<Option<Made>, AwsError>>;
    fn create<'a>(
        &'a self,
        cx: &'a Context,
        owner: &'a Owner,
        wanted: &'a Value,
        left: Option<PhysicalId>,
    ) -> BoxFuture<'a, Result<Made, AwsError>>;
    fn update<'a>(
        &'a self,
        cx: &'a Context,
        owner: &'a Owner,
        id: &'a PhysicalId,
        wanted: &'a Value,
        changes: &'a Changes,
    ) -> BoxFuture<'a, Result<PhysicalId, AwsError>>;
    fn delete<'a>(&'a self, cx: &'a Context, id: &'a PhysicalId) -> BoxFuture<'a, Result<(), AwsError>>;
    fn delete_together<'a>(&'a self, cx: &'a Context, ids: &'a [PhysicalId]) -> BoxFuture<'a, Result<(), AwsError>>;
    fn sweep<'a>(
        &'a self,
        cx: &'a Context,
        stack: &'a StackId,
    ) -> BoxFuture<'a, Result<Vec<(Owner, PhysicalId)>, AwsError>>;
}

pub(super) struct Erased<H>(PhantomData<H>);

impl<H: Handler> Erased<H> {
    pub(super) const HANDLER: &'static dyn Resource = &Self(PhantomData);
}

impl<H: Handler> Resource for Erased<H> {
    fn resource_type(&self) -> &'static str {
        H::TYPE
    }

    fn found_by(&self) -> &'static [&'static str] {
        H::FOUND_BY
    }

    fn generated_name(&self) -> Option<GeneratedName> {
        H::GENERATED_NAME
    }

    fn tagged_as(&self) -> Option<&'static str> {
        H::TAGGED_AS
    }

    fn refused(&self) -> &'static [(&'static str, &'static str)] {
        H::REFUSED
    }

    fn deleted_together(&self) -> usize {
        H::DELETED_TOGETHER
    }

    fn is_unique(&self) -> bool {
        H::IS_UNIQUE
    }

    fn creates_another(&self) -> bool {
        H::CREATES_ANOTHER
    }

    fn part_of(&self) -> &'static [&'static str] {
        H::PART_OF
    }

    fn unsettles(&self) -> &'static [(&'static str, &'static str)] {
        H::UNSETTLES
    }

    fn within(&self) -> Option<&'static str> {
        H::WITHIN
    }

    fn all_in(&self) -> Option<&'static str> {
        H::ALL_IN
    }

    fn same_as(&self) -> Option<&'static str> {
        H::SAME_AS
    }

    fn list_within<'a>(
        &'a self,
        cx: &'a Context,
        whole: &'a PhysicalId,
    ) -> BoxFuture<'a, Result<Vec<PhysicalId>, AwsError>> {
        Box::pin(H::list_within(cx, whole))
    }

    fn also_create_only(&self) -> &'static [&'static str] {
        H::ALSO_CREATE_ONLY
    }

    fn secrets(&self) -> &'static [&'static str] {
        H::SECRETS
    }

    fn replaced_by(&self, live: &Value, wanted: &Value) -> Option<&'static str> {
        H::replaced_by(&typed::<H>(live.clone()).ok()?, &typed::<H>(wanted.clone()).ok()?)
    }

    fn canonical(&self, properties: &Value) -> Result<Value, String> {
        typed::<H>(properties.clone()).map(|properties| plain(&properties))
    }

    fn predict(&self, scope: &Scope, wanted: &Value) -> Attributes {
        typed::<H>(wanted.clone()).map(|wanted| H::predict(scope, &wanted)).unwrap_or_default()
    }

    fn settled(&self, scope: &Scope, properties: Value) -> Result<Settled, String> {
        let wanted = typed::<H>(properties)?;
        Ok(Settled {
            properties: plain(&wanted),
            attributes: H::predict(scope, &wanted),
            contributions: H::CONTRIBUTIONS.map(|contributions| contributions(scope, &wanted)).unwrap_or_default(),
        })
    }

    fn contributions(&self, scope: &Scope, wanted: &Value) -> Vec<Contribution> {
        let Some(contributions) = H::CONTRIBUTIONS else { return Vec::new() };
        typed::<H>(wanted.clone()).map(|wanted| contributions(scope, &wanted)).unwrap_or_default()
    }

    fn contributes(&self) -> bool {
        H::CONTRIBUTIONS.is_some()
    }

    fn comparable(&self, live: &Value, wanted: &Value, contributed: &[Contribution]) -> Value {
        let mut comparable = live.clone();
        for contribution in contributed {
            contribution.take_from(&mut comparable, wanted);
        }
        // What is equal needs no other words.
        if comparable == *wanted {
            return comparable;
        }
        match (typed::<H>(comparable.clone()), typed::<H>(wanted.clone())) {
            (Ok(mut live), Ok(wanted)) => {
                H::equate(&mut live, &wanted);
                plain(&live)
            }
            _ => comparable,
        }
    }

    fn contents<'a>(
        &'a self,
        cx: &'a Context,
        id: &'a PhysicalId,
    ) -> BoxFuture<'a, Result<Option<Contents>, AwsError>> {
        Box::pin(H::contents(cx, id))
    }

    fn identify<'a>(&'a self, cx: &'a Context, arn: &'a str) -> BoxFuture<'a, Result<Option<PhysicalId>, AwsError>> {
        Box::pin(H::identify(cx, arn))
    }

    fn find<'a>(
        &'a self,
        cx: &'a Context,
        owner: &'a Owner,
        wanted: &'a Value,
    ) -> BoxFuture<'a, Result<Option<PhysicalId>, AwsError>> {
        if H::FOUND_BY.iter().any(|name| wanted.get(name).is_some_and(unknown::is_within)) {
            return Box::pin(async { Ok(None) });
        }
        Box::pin(async move { H::find(cx, owner, &expect_typed::<H>(wanted)?).await })
    }

    fn find_made<'a>(
        &'a self,
        cx: &'a Context,
        owner: &'a Owner,
        wanted: &'a Value,
    ) -> BoxFuture<'a, Result<Option<PhysicalId>, AwsError>> {
        Box::pin(async move { H::find_made(cx, owner, &expect_typed::<H>(wanted)?).await })
    }

    fn read<'a>(
        &'a self,
        cx: &'a Context,
        id: &'a PhysicalId,
    ) -> BoxFuture<'a, Result<Option<LiveResource>, AwsError>> {
        Box::pin(async move {
            let Some(mut live) = H::read(cx, id).await? else { return Ok(None) };
            H::complete(&mut live.properties);
            let properties = plain(&live.properties);
            let ownership = match live.mark {
                Mark::InTags => tags::owner_in(&properties).map_or(Ownership::Unmarked, Ownership::Owned),
                Mark::Elsewhere(owner) => owner.map_or(Ownership::Unmarked, Ownership::Owned),
                Mark::Nowhere => Ownership::Unmarkable,
            };
            Ok(Some(LiveResource { id: id.clone(), properties, attributes: live.attributes, ownership }))
        })
    }

    fn make_new<'a>(
        &'a self,
        cx: &'a Context,
        owner: &'a Owner,
        wanted: &'a Value,
    ) -> BoxFuture<'a, Result<Option<Made>, AwsError>> {
        Box::pin(async move { H::make_new(cx, owner, &expect_typed::<H>(wanted)?).await })
    }

    fn create<'a>(
        &'a self,
        cx: &'a Context,
        owner: &'a Owner,
        wanted: &'a Value,
        left: Option<PhysicalId>,
    ) -> BoxFuture<'a, Result<Made, AwsError>> {
        Box::pin(async move { H::create(cx, owner, &expect_typed::<H>(wanted)?, left).await })
    }

    fn update<'a>(
        &'a self,
        cx: &'a Context,
        owner: &'a Owner,
        id: &'a PhysicalId,
        wanted: &'a Value,
        changes: &'a Changes,
    ) -> BoxFuture<'a, Result<PhysicalId, AwsError>> {
        Box::pin(async move { H::update(cx, owner, id, &expect_typed::<H>(wanted)?, changes).await })
    }

    fn delete_together<'a>(&'a self, cx: &'a Context, ids: &'a [PhysicalId]) -> BoxFuture<'a, Result<(), AwsError>> {
        Box::pin(H::delete_together(cx, ids))
    }

    fn delete<'a>(&'a self, cx: &'a Context, id: &'a PhysicalId) -> BoxFuture<'a, Result<(), AwsError>> {
        Box::pin(H::delete(cx, id))
    }

    fn sweep<'a>(
        &'a self,
        cx: &'a Context,
        stack: &'a StackId,
    ) -> BoxFuture<'a, Result<Vec<(Owner, PhysicalId)>, AwsError>> {
        Box::pin(H::sweep(cx, stack))
    }
}

fn typed<H: Handler>(properties: Value) -> Result<H::Properties, String> {
    let mut properties = H::Properties::deserialize(properties).map_err(|error| error.to_string())?;
    H::complete(&mut properties);
    Ok(properties)
}

fn expect_typed<H: Handler>(properties: &Value) -> Result<H::Properties, AwsError> {
    typed::<H>(properties.clone()).map_err(|error| {
        AwsError::new(H::TYPE, ErrorClass::Invalid, format!("the properties do not fit `{}`: {error}", H::TYPE))
    })
}
