//! What an API's stage serves against what the template declares: a stage serves the snapshot that its deployment took, and
//! not what its methods are now. Pure; the export of the stage comes from the caller.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::desired::{Desired, of_type};
use crate::identity::{LogicalId, PhysicalId, REF};
use crate::inventory::Inventory;
use crate::plan::{Action, Plan};
use crate::resource::{Attributes, Reading};

/// A stage that serves something else than the template declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    pub stage: LogicalId,
    /// The deployment to make anew, where the template declares it.
    pub deployment: Option<LogicalId>,
    /// `POST /webhooks` is declared and not served.
    pub not_served: BTreeSet<String>,
    /// It is served and not declared.
    pub not_declared: BTreeSet<String>,
    /// What differs of what is both, `the integration of POST /webhooks`.
    pub differing: BTreeSet<String>,
}

/// A live stage of which it can be asked what it serves.
pub struct LiveStage {
    pub logical_id: LogicalId,
    pub physical_id: PhysicalId,
    api: String,
    deployment: Option<LogicalId>,
}

/// The stages to ask, but for those that a plan moves on to a new snapshot anyway.
pub fn stages(plan: &Plan, desired: &Desired, inventory: &Inventory) -> Vec<LiveStage> {
    let is_made = |id: &LogicalId| {
        let step = plan.steps.iter().find(|step| &step.logical_id == id);
        step.is_some_and(|step| matches!(step.action, Action::Create { .. } | Action::Replace { .. }))
    };
    let stages = of_type(&desired.graph, "AWS::ApiGateway::Stage").filter_map(|stage| {
        let Some(Reading::Live(live)) = inventory.readings.get(&stage.logical_id) else { return None };
        let deployments = of_type(&desired.graph, "AWS::ApiGateway::Deployment").map(|it| &it.logical_id);
        let of_stage = |id: &&LogicalId| stage.references.iter().any(|reference| &reference.resource == *id);
        let deployment = deployments.into_iter().find(of_stage).cloned();
        if deployment.as_ref().is_some_and(is_made) || is_made(&stage.logical_id) {
            return None;
        }
        Some(LiveStage {
            logical_id: stage.logical_id.clone(),
            physical_id: live.id.clone(),
            api: live.properties["RestApiId"].as_str()?.to_owned(),
            deployment,
        })
    });
    stages.collect()
}

/// Holds the export of a stage, in OpenAPI 3, against the declared methods of its API; `None` where both are the same.
pub fn compare(stage: &LiveStage, export: &Value, desired: &Desired, inventory: &Inventory) -> Option<Served> {
    let declared = declared(&stage.api, desired, inventory);
    let served = exported(export);
    let names = |methods: &BTreeMap<String, Method>| methods.keys().cloned().collect::<BTreeSet<String>>();
    let (declared_names, served_names) = (names(&declared), names(&served));
    let both = declared_names.intersection(&served_names);
    let knows_keys = served.values().any(|method| method.api_key == Some(true));
    let differing = both.flat_map(|name| declared[name].differences(&served[name], name, knows_keys)).collect();
    let found = Served {
        stage: stage.logical_id.clone(),
        deployment: stage.deployment.clone(),
        not_served: declared_names.difference(&served_names).cloned().collect(),
        not_declared: served_names.difference(&declared_names).cloned().collect(),
        differing,
    };
    let Served { stage: _, deployment: _, not_served, not_declared, differing } = &found;
    let is_same = not_served.is_empty() && not_declared.is_empty() && differing.is_empty();
    (!is_same).then_some(found)
}

/// What both sides say of a method; `None` is not said.
#[derive(Debug, Clone, PartialEq, Default)]
struct Method {
    api_key: Option<bool>,
    /// `aws_proxy`.
    integration: Option<String>,
    uri: Option<String>,
}

impl Method {
    /// An export names keys only where a method asks for one: where none does, nothing can be said of them.
    fn differences(&self, served: &Self, name: &str, knows_keys: bool) -> Vec<String> {
        let differs = |one: &Option<String>, other: &Option<String>| one.is_some() && other.is_some() && one != other;
        let mut differences = Vec::new();
        if differs(&self.integration, &served.integration) || differs(&self.uri, &served.uri) {
            differences.push(format!("the integration of {name}"));
        }
        if knows_keys && self.api_key.unwrap_or_default() != served.api_key.unwrap_or_default() {
            differences.push(format!("whether {name} asks for an API key"));
        }
        differences
    }
}

/// The methods that the template declares of an API, by verb and path.
fn declared(api: &str, desired: &Desired, inventory: &Inventory) -> BTreeMap<String, Method> {
    let attributes = |id: &LogicalId| -> Option<&Attributes> {
        match inventory.readings.get(id)? {
            Reading::Live(live) => Some(&live.attributes),
            Reading::Absent | Reading::Unreadable(_) => None,
        }
    };
    let known = |id: &LogicalId, name: &str| attributes(id)?.get(name).cloned();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let properties = |resource_type: &'static str| {
        let of_type = of_type(&desired.graph, resource_type);
        of_type
            .filter_map(|it| Some((&it.logical_id, desired.properties(&it.logical_id, &known).ok()?)))
            .collect::<Vec<_>>()
    };
    let parts: BTreeMap<String, (String, String)> = properties("AWS::ApiGateway::Resource")
        .into_iter()
        .filter_map(|(id, it)| Some((text(&known(id, REF)?), (text(&it["ParentId"]), text(&it["PathPart"])))))
        .collect();
    let path = |resource: &str| {
        let mut path = String::new();
        let mut at = resource;
        // A circle of parents is none that AWS would have made.
        for _ in 0..=parts.len() {
            let Some((parent, part)) = parts.get(at) else { break };
            path = format!("/{part}{path}");
            at = parent;
        }
        if path.is_empty() { "/".to_owned() } else { path }
    };
    let methods = properties("AWS::ApiGateway::Method").into_iter().filter(|(_, it)| it["RestApiId"] == api);
    let methods = methods.map(|(_, it)| {
        let name = format!("{} {}", text(&it["HttpMethod"]), path(&text(&it["ResourceId"])));
        let integration = &it["Integration"];
        let method = Method {
            api_key: it["ApiKeyRequired"].as_bool(),
            integration: integration["Type"].as_str().map(str::to_lowercase),
            uri: integration["Uri"].as_str().map(str::to_owned),
        };
        (name, method)
    });
    methods.collect()
}

const ANY: &str = "x-amazon-apigateway-any-method";
const VERBS: [&str; 7] = ["delete", "get", "head", "options", "patch", "post", "put"];

/// The methods of an export ("Export a REST API from API Gateway").
fn exported(export: &Value) -> BTreeMap<String, Method> {
    let paths = export["paths"].as_object();
    let methods = paths.into_iter().flatten().flat_map(|(path, operations)| {
        let operations = operations.as_object().into_iter().flatten();
        operations.filter_map(move |(verb, operation)| {
            let verb = match verb.as_str() {
                ANY => "ANY".to_owned(),
                verb if VERBS.contains(&verb) => verb.to_uppercase(),
                _ => return None,
            };
            let security = operation["security"].as_array();
            let asks = |it: &Value| it.get("api_key").is_some();
            let integration = &operation["x-amazon-apigateway-integration"];
            let method = Method {
                api_key: security.map(|all| all.iter().any(asks)),
                integration: integration["type"].as_str().map(str::to_lowercase),
                uri: integration["uri"].as_str().map(str::to_owned),
            };
            Some((format!("{verb} {path}"), method))
        })
    });
    methods.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fake::line::{Account, desired};
    use crate::plan::Options;

    const TEMPLATE: &str = "
Resources:
  Api: { Type: AWS::ApiGateway::RestApi, Properties: { Name: orders } }
  Orders: { Type: AWS::ApiGateway::Resource, Properties: { RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: orders } }
  One: { Type: AWS::ApiGateway::Resource, Properties: { RestApiId: !Ref Api, ParentId: !Ref Orders, PathPart: '{id}' } }
  GetOne:
    Type: AWS::ApiGateway::Method
    Properties: { RestApiId: !Ref Api, ResourceId: !Ref One, HttpMethod: GET, AuthorizationType: NONE, ApiKeyRequired: true, Integration: { Type: MOCK } }
  Deployment: { Type: AWS::ApiGateway::Deployment, DependsOn: GetOne, Properties: { RestApiId: !Ref Api } }
  Stage: { Type: AWS::ApiGateway::Stage, Properties: { RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: dev } }
";

    /// What is said of a stage that serves these paths.
    fn found(paths: Value) -> Option<Served> {
        let (account, desired) = (Account::default(), desired(TEMPLATE));
        account.apply(&desired);
        let ledger = account.ledgers.load();
        let inventory = account.inventory(&desired, &ledger);
        let plan = crate::plan::diff(&desired, &inventory, &ledger, &Options::default());
        let stages = stages(&plan, &desired, &inventory);
        assert_eq!(stages.len(), 1);
        compare(&stages[0], &json!({ "openapi": "3.0.1", "paths": paths }), &desired, &inventory)
    }

    fn get_one() -> Value {
        json!({
            "responses": {},
            "security": [{"api_key": []}],
            "x-amazon-apigateway-integration": {"type": "mock", "passthroughBehavior": "when_no_match"},
        })
    }

    #[test]
    fn a_stage_that_serves_what_is_declared_is_not_worth_a_word() {
        assert_eq!(found(json!({"/": {}, "/orders": {}, "/orders/{id}": {"get": get_one(), "parameters": []}})), None);
    }

    #[test]
    fn an_older_snapshot_lacks_the_new_method_and_has_the_old_one() {
        let served =
            found(json!({"/orders": {"post": get_one(), "x-amazon-apigateway-any-method": {}}})).expect("it differs");
        assert_eq!(served.not_served, BTreeSet::from(["GET /orders/{id}".to_owned()]));
        assert_eq!(served.not_declared, BTreeSet::from(["ANY /orders".to_owned(), "POST /orders".to_owned()]));
        assert_eq!(served.deployment, Some("Deployment".into()));
    }

    #[test]
    fn a_snapshot_with_another_integration_or_without_the_key_differs() {
        let mut other = get_one();
        other["x-amazon-apigateway-integration"]["type"] = json!("http");
        let served = found(json!({"/orders/{id}": {"get": other}})).expect("it differs");
        assert_eq!(served.differing, BTreeSet::from(["the integration of GET /orders/{id}".to_owned()]));
        let mut open = get_one();
        open["security"] = json!([]);
        let served = found(json!({"/orders/{id}": {"get": open, "put": get_one()}})).expect("it differs");
        assert_eq!(served.differing, BTreeSet::from(["whether GET /orders/{id} asks for an API key".to_owned()]));
    }
}
