//! `AWS::Logs::QueryDefinition`. Its name may repeat and it takes no tags: the owner stands in the last line of its query, as a
//! comment of Logs Insights. By that line it is found, or else by its name where nobody's mark is on it.
//! SQL and PPL have comments of another form, which the service does not document for saved queries: they carry no mark.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_cloudwatchlogs::types as sdk;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, ErrorClass, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope, pages};
use crate::change::Changes;
use crate::identity::{LogicalId, PhysicalId, StackId};
use crate::resource::{Attributes, Handler, Live, Made, Mark, Owner, referred};

pub struct LogsQueryDefinition;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct QueryDefinition {
    pub name: String,
    pub query_string: String,
    pub query_language: String,
    pub log_group_names: BTreeSet<String>,
    pub parameters: BTreeSet<QueryParameter>,
}

impl Default for QueryDefinition {
    fn default() -> Self {
        Self {
            name: String::new(),
            query_string: String::new(),
            query_language: INSIGHTS.to_owned(),
            log_group_names: BTreeSet::new(),
            parameters: BTreeSet::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct QueryParameter {
    pub name: String,
    pub default_value: Option<String>,
    pub description: Option<String>,
}

impl Handler for LogsQueryDefinition {
    const TYPE: &'static str = "AWS::Logs::QueryDefinition";
    const FOUND_BY: &'static [&'static str] = &["Name"];
    const CREATES_ANOTHER: bool = true;
    type Properties = QueryDefinition;

    /// The identifier is one that only the service can give.
    fn predict(_scope: &Scope, _definition: &QueryDefinition) -> Attributes {
        Attributes::new()
    }

    async fn find(cx: &Context, owner: &Owner, definition: &QueryDefinition) -> Result<Option<PhysicalId>, AwsError> {
        let named = named(cx, definition).await?;
        let of = |whose: Option<&Owner>| named.iter().find(|(it, _)| it.as_ref() == whose).map(|(_, id)| id.clone());
        Ok(of(Some(owner)).or_else(|| of(None)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<QueryDefinition>>, AwsError> {
        Ok(by_id(cx, id).await?.map(|live| {
            let (definition, owner) = definition_of(live);
            let mark = match definition.query_language.as_str() {
                INSIGHTS => Mark::Elsewhere(owner),
                _ => Mark::Nowhere,
            };
            Live { properties: definition, attributes: attributes_of(id.as_str()), mark }
        }))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        definition: &QueryDefinition,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = put(cx, left.as_ref(), owner, definition).await?;
        let live = cx.until(DESCRIBE, "the new query to show", Patience::seconds(30), || Self::read(cx, &id)).await?;
        Ok(Made { attributes: live.attributes, id })
    }

    async fn update(
        cx: &Context,
        owner: &Owner,
        id: &PhysicalId,
        definition: &QueryDefinition,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        put(cx, Some(id), owner, definition).await
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let delete = cx.logs.delete_query_definition().query_definition_id(id.as_str());
        gone_is_fine(delete.send().await.during("logs.DeleteQueryDefinition"))?;
        cx.until(DESCRIBE, "the query to be gone", Patience::seconds(30), || async {
            Ok(by_id(cx, id).await?.is_none().then_some(()))
        })
        .await
    }

    async fn sweep(cx: &Context, stack: &StackId) -> Result<Vec<(Owner, PhysicalId)>, AwsError> {
        let described = described(cx, None).await?;
        let ours = described.iter().filter_map(|live| {
            let id = PhysicalId::from(live.query_definition_id.as_deref()?);
            let owner = definition_of(live.clone()).1.filter(|owner| owner.stack == *stack)?;
            Some((owner, id))
        });
        Ok(ours.collect())
    }
}

const DESCRIBE: &str = "logs.DescribeQueryDefinitions";

/// Logs Insights' own language.
const INSIGHTS: &str = "CWLI";

/// All definitions, or those whose names begin so.
async fn described(cx: &Context, name_prefix: Option<&str>) -> Result<Arc<Vec<sdk::QueryDefinition>>, AwsError> {
    // One list of all serves every definition of a survey.
    let name_prefix = name_prefix.filter(|_| cx.survey.is_none());
    cx.once(DESCRIBE, name_prefix.unwrap_or_default(), || async { Ok(Arc::new(list(cx, name_prefix).await?)) }).await
}

async fn list(cx: &Context, name_prefix: Option<&str>) -> Result<Vec<sdk::QueryDefinition>, AwsError> {
    let definitions = pages::all(async |token| {
        let describe = cx.logs.describe_query_definitions().max_results(1000).set_next_token(token);
        let describe = describe.set_query_definition_name_prefix(name_prefix.map(str::to_owned));
        let page = describe.send().await.during(DESCRIBE)?;
        Ok((page.query_definitions, page.next_token))
    });
    definitions.await
}

/// The definitions of exactly this name with their owners; the service finds by the beginning of a name.
async fn named(cx: &Context, definition: &QueryDefinition) -> Result<Vec<(Option<Owner>, PhysicalId)>, AwsError> {
    let described = described(cx, Some(&definition.name)).await?;
    let named = described.iter().filter(|it| it.name() == Some(&definition.name));
    let owned = named.filter_map(|it| {
        let id = PhysicalId::from(it.query_definition_id.as_deref()?);
        Some((definition_of(it.clone()).1, id))
    });
    Ok(owned.collect())
}

/// The service lists definitions by name only, and a name can change.
async fn by_id(cx: &Context, id: &PhysicalId) -> Result<Option<sdk::QueryDefinition>, AwsError> {
    let all = described(cx, None).await?;
    Ok(all.iter().find(|it| it.query_definition_id() == Some(id.as_str())).cloned())
}

/// Replaces the whole definition, or makes one.
async fn put(
    cx: &Context,
    id: Option<&PhysicalId>,
    owner: &Owner,
    definition: &QueryDefinition,
) -> Result<PhysicalId, AwsError> {
    const PUT: &str = "logs.PutQueryDefinition";
    let query = match definition.query_language.as_str() {
        INSIGHTS => marked(&definition.query_string, owner),
        _ => definition.query_string.clone(),
    };
    let parameters = definition.parameters.iter().map(sdk_parameter).collect::<Result<Vec<_>, _>>();
    let parameters = parameters.map_err(|error| AwsError::new(PUT, ErrorClass::Invalid, error.to_string()))?;
    let groups: Vec<String> = definition.log_group_names.iter().cloned().collect();
    let put = cx
        .logs
        .put_query_definition()
        .set_query_definition_id(id.map(|id| id.as_str().to_owned()))
        .name(&definition.name)
        .query_string(query)
        .query_language(definition.query_language.as_str().into())
        .set_log_group_names((!groups.is_empty()).then_some(groups))
        .set_parameters((!parameters.is_empty()).then_some(parameters));
    let answer = put.send().await.during(PUT)?;
    answer.query_definition_id.map(PhysicalId::from).ok_or_else(|| AwsError::missing(PUT, "queryDefinitionId"))
}

fn sdk_parameter(parameter: &QueryParameter) -> Result<sdk::QueryParameter, aws_sdk_cloudwatchlogs::error::BuildError> {
    sdk::QueryParameter::builder()
        .name(&parameter.name)
        .set_default_value(parameter.default_value.clone())
        .set_description(parameter.description.clone())
        .build()
}

/// The definition in the template's shape, and the owner that its query names.
fn definition_of(live: sdk::QueryDefinition) -> (QueryDefinition, Option<Owner>) {
    let language = live.query_language.map_or_else(|| INSIGHTS.to_owned(), |language| language.as_str().to_owned());
    let text = live.query_string.unwrap_or_default();
    let (query, owner) = if language == INSIGHTS { unmarked(&text) } else { (text.as_str(), None) };
    let parameter = |it: sdk::QueryParameter| QueryParameter {
        name: it.name,
        default_value: it.default_value,
        description: it.description,
    };
    let definition = QueryDefinition {
        name: live.name.unwrap_or_default(),
        query_string: query.to_owned(),
        query_language: language,
        log_group_names: live.log_group_names.unwrap_or_default().into_iter().collect(),
        parameters: live.parameters.unwrap_or_default().into_iter().map(parameter).collect(),
    };
    (definition, owner)
}

const MARK: &str = "\n# paystack ";

fn marked(query: &str, owner: &Owner) -> String {
    format!("{query}{MARK}{}/{}", owner.stack, owner.resource)
}

/// The query without the line that names its owner. A logical id has no `/` in it.
fn unmarked(text: &str) -> (&str, Option<Owner>) {
    let marked = text.rsplit_once(MARK).and_then(|(query, mark)| Some((query, mark.trim_end().rsplit_once('/')?)));
    match marked {
        Some((query, (stack, resource))) if !resource.contains('\n') && !stack.contains('\n') => {
            (query, Some(Owner { stack: StackId::from(stack), resource: LogicalId::from(resource) }))
        }
        _ => (text, None),
    }
}

fn attributes_of(id: &str) -> Attributes {
    referred(id, [("QueryDefinitionId", id.to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner { stack: StackId::from("payments-dev"), resource: LogicalId::from("FailuresByProvider") }
    }

    #[test]
    fn the_owner_stands_in_the_last_line_of_the_query_and_nowhere_else() {
        let query = "fields @message\n# paystack is what made this\n| limit 20\n";
        let text = marked(query, &owner());
        assert!(text.ends_with("\n# paystack payments-dev/FailuresByProvider"));
        assert_eq!(unmarked(&text), (query, Some(owner())));
        assert_eq!(unmarked(query), (query, None));
    }

    #[test]
    fn parameters_come_back_in_any_order() {
        let parameter = |name: &str, default: Option<&str>| QueryParameter {
            name: name.to_owned(),
            default_value: default.map(str::to_owned),
            description: None,
        };
        let wanted = BTreeSet::from([parameter("provider", Some("stripe")), parameter("level", None)]);
        let sent = wanted.iter().rev().map(|it| sdk_parameter(it).unwrap()).collect();
        let live = sdk::QueryDefinition::builder().set_parameters(Some(sent)).build();
        assert_eq!(definition_of(live).0.parameters, wanted);
    }

    #[test]
    fn a_query_that_is_not_in_insights_own_language_is_left_as_it_is() {
        let text = marked("SELECT 1", &owner());
        let live = sdk::QueryDefinition::builder().query_language(sdk::QueryLanguage::Sql).query_string(&text).build();
        let (definition, owner) = definition_of(live);
        assert_eq!((definition.query_string, owner), (text, None));
    }
}
