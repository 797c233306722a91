//! What an API's stage serves against what the template declares: a stage serves the snapshot that its deployment took, and
//! not what its methods are now. Pure; the export of the stage comes from the caller.

mod callers;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::desired::{Desired, of_type};
use crate::identity::{LogicalId, PhysicalId, REF};
use crate::inventory::Inventory;
use crate::plan::{Action, Cause, Plan};
use crate::policy::methods::{Callers, METHOD, Method, REST_API, of_document, of_resource, scheme};
use crate::resource::apigateway::deployment::{CONTENT_DIGEST, content};
use crate::resource::{LiveResource, Reading};
use crate::template::{DesiredResource, Expr};

use callers::{Authorizer, Side};

/// A stage that serves something else than the template declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    pub stage: LogicalId,
    /// The deployment whose snapshot it serves, where the plan takes it anew.
    pub deployment: Option<LogicalId>,
    /// `POST /webhooks` is declared and not served.
    pub not_served: BTreeSet<String>,
    /// It is served and not declared.
    pub not_declared: BTreeSet<String>,
    /// What differs of what is both, `the integration of POST /webhooks`.
    pub differing: BTreeSet<String>,
}

/// A live stage that should serve what the template declares.
pub struct LiveStage {
    pub logical_id: LogicalId,
    pub physical_id: PhysicalId,
    api: String,
    /// The deployment whose snapshot it serves, where the template declares it.
    deployment: Option<LogicalId>,
}

/// The stages to ask.
pub fn stages(desired: &Desired, inventory: &Inventory) -> Vec<LiveStage> {
    let stages = of_type(&desired.graph, "AWS::ApiGateway::Stage").filter_map(|stage| {
        let live = live(inventory, &stage.logical_id)?;
        let api = live.properties["RestApiId"].as_str()?.to_owned();
        let digest = |id: &LogicalId| digest_of(&self::live(inventory, id)?.properties);
        if !is_asked(desired, stage, &digest) {
            return None;
        }
        let is_served = |deployment: &&DesiredResource| {
            let snapshot = self::live(inventory, &deployment.logical_id);
            snapshot.is_some_and(|it| it.attributes.get(REF) == live.properties.get("DeploymentId"))
        };
        let deployment = deployment_of(desired, stage).filter(is_served).map(|it| it.logical_id.clone());
        Some(LiveStage { logical_id: stage.logical_id.clone(), physical_id: live.id.clone(), api, deployment })
    });
    stages.collect()
}

/// Whether a stage is asked what it serves, by the digests of deployments: one that is not there, or is of other content than
/// the template's, is about to be replaced.
pub fn is_asked<'a>(
    desired: &Desired,
    stage: &DesiredResource,
    digest: &dyn Fn(&LogicalId) -> Option<&'a str>,
) -> bool {
    deployment_of(desired, stage).is_none_or(|deployment| {
        let is = digest(&deployment.logical_id);
        is.is_some() && content(is) == wanted_digest(deployment)
    })
}

/// The deployment that a stage names, if the template declares it.
fn deployment_of<'a>(desired: &'a Desired, stage: &DesiredResource) -> Option<&'a DesiredResource> {
    let is_named = |id: &LogicalId| stage.references.iter().any(|reference| &reference.resource == id);
    of_type(&desired.graph, DEPLOYMENT).find(|it| is_named(&it.logical_id))
}

/// Holds what every stage serves against the declared methods of its API.
pub fn differences(desired: &Desired, inventory: &Inventory) -> Vec<Served> {
    let stages = stages(desired, inventory).into_iter();
    stages.filter_map(|stage| compare(&stage, inventory.served.get(&stage.logical_id)?, desired, inventory)).collect()
}

/// What is wanted with a new snapshot for each stage that serves another than is declared, and for each deployment that is to be
/// replaced. A new one that serves the same again is not taken twice.
pub fn with_new_snapshots<'a>(
    desired: &'a Desired,
    inventory: &Inventory,
    served: &[Served],
    replaced: &BTreeSet<LogicalId>,
) -> Cow<'a, Desired> {
    let stale = served.iter().filter_map(|it| {
        let Served { stage: _, deployment, not_served, not_declared, differing } = it;
        Some((deployment.clone()?, json!([not_served, not_declared, differing]).to_string()))
    });
    let asked_for = of_type(&desired.graph, DEPLOYMENT).filter(|it| replaced.contains(&it.logical_id));
    let asked_for =
        asked_for.filter_map(|it| Some((it.logical_id.clone(), live(inventory, &it.logical_id)?.id.to_string())));
    let anew: BTreeMap<LogicalId, String> = stale.chain(asked_for).collect();
    if anew.is_empty() { Cow::Borrowed(desired) } else { Cow::Owned(desired.taken_anew(&anew)) }
}

/// What is wanted, with the snapshots that a plan has decided on.
pub fn as_planned<'a>(desired: &'a Desired, plan: &Plan) -> Cow<'a, Desired> {
    let mut planned = Cow::Borrowed(desired);
    for step in plan.steps.iter().filter(|step| step.resource_type.as_str() == DEPLOYMENT) {
        let declared = desired.graph.resources.get(&step.logical_id);
        let digest = step.desired.as_ref().map(|wanted| &wanted[CONTENT_DIGEST]).filter(|digest| digest.is_string());
        if let (Some(declared), Some(digest)) = (declared, digest)
            && declared.properties.at(&[CONTENT_DIGEST.into()]).and_then(Expr::as_literal) != Some(digest)
        {
            planned.to_mut().set_snapshot(&step.logical_id, digest.clone());
        }
    }
    planned
}

/// Says in a plan what stages serve. That a snapshot is not as it should be is nobody's doing in the template.
pub fn tell(plan: &mut Plan, mut served: Vec<Served>) {
    for Served { deployment, .. } in &mut served {
        let step = plan.steps.iter_mut().find(|step| deployment.as_ref() == Some(&step.logical_id));
        match step.map(|step| &mut step.action) {
            Some(Action::Replace { changes, .. }) => {
                let digests = changes.iter_mut().filter(|change| change.path.property() == Some(CONTENT_DIGEST));
                digests.for_each(|change| change.cause = Cause::Drift);
            }
            _ => *deployment = None,
        }
    }
    plan.remarks.served = served;
}

const DEPLOYMENT: &str = "AWS::ApiGateway::Deployment";

fn live<'a>(inventory: &'a Inventory, id: &LogicalId) -> Option<&'a LiveResource> {
    match inventory.readings.get(id)? {
        Reading::Live(live) => Some(live),
        Reading::Absent | Reading::Unreadable(_) => None,
    }
}

/// `None` of a snapshot that somebody else took.
fn digest_of(deployment: &Value) -> Option<&str> {
    content(deployment[CONTENT_DIGEST].as_str())
}

fn wanted_digest(deployment: &DesiredResource) -> Option<&str> {
    content(deployment.properties.at(&[CONTENT_DIGEST.into()]).and_then(Expr::as_literal)?.as_str())
}

/// Holds the export of a stage, in OpenAPI 3, against the declared methods of its API; `None` where both are the same, or where
/// an API has methods that only AWS knows.
fn compare(stage: &LiveStage, export: &Value, desired: &Desired, inventory: &Inventory) -> Option<Served> {
    let all = Declared::of(&stage.api, desired, inventory)?;
    let (declared, served) = (all.methods(), named(of_document(export)));
    let names = |methods: &BTreeMap<String, Method<'_>>| methods.keys().cloned().collect::<BTreeSet<String>>();
    let (declared_names, served_names) = (names(&declared), names(&served));
    let both = declared_names.intersection(&served_names);
    // An export names keys, signatures and authorizers only where a method asks for one: where none does, nothing can be said
    // of them.
    let knows_keys = served.values().any(|method| method.asks_for_key);
    let knows_callers = served.values().any(Method::asks_who_calls);
    let differing = both.flat_map(|name| {
        let (declared, served) = (&declared[name], &served[name]);
        let integration = differs(declared, served).then(|| format!("the integration of {name}"));
        let key = knows_keys && declared.asks_for_key != served.asks_for_key;
        let key = key.then(|| format!("whether {name} asks for an API key"));
        let wanted = Side { method: declared, authorizer: all.authorizer(declared) };
        let found = Side { method: served, authorizer: authorizer_in(export, served) };
        let callers = knows_callers.then(|| callers::difference(name, &wanted, &found));
        integration.into_iter().chain(key).chain(callers.flatten())
    });
    let found = Served {
        stage: stage.logical_id.clone(),
        deployment: stage.deployment.clone(),
        differing: differing.collect(),
        not_served: declared_names.difference(&served_names).cloned().collect(),
        not_declared: served_names.difference(&declared_names).cloned().collect(),
    };
    let Served { stage: _, deployment: _, not_served, not_declared, differing } = &found;
    let is_same = not_served.is_empty() && not_declared.is_empty() && differing.is_empty();
    (!is_same).then_some(found)
}

/// Fields of an integration, as a document and as a template names them.
const COMPARED: [(&str, &str); 7] = [
    ("type", "Type"),
    ("httpMethod", "IntegrationHttpMethod"),
    ("uri", "Uri"),
    ("credentials", "Credentials"),
    ("passthroughBehavior", "PassthroughBehavior"),
    ("requestParameters", "RequestParameters"),
    ("requestTemplates", "RequestTemplates"),
];

/// What only one side says is no difference: an export leaves out what is as usual.
fn differs(declared: &Method<'_>, served: &Method<'_>) -> bool {
    COMPARED.iter().any(|(in_document, in_template)| {
        let [declared, served] = [declared, served].map(|method| method.of_integration(in_document, in_template));
        match (declared, served) {
            (Value::Null, _) | (_, Value::Null) => false,
            // Words of the service, which a document has in small letters.
            (Value::String(one), Value::String(other)) if !matches!(*in_document, "uri" | "credentials") => {
                !one.eq_ignore_ascii_case(other)
            }
            (one, other) => one != other,
        }
    })
}

fn named(methods: Vec<Method<'_>>) -> BTreeMap<String, Method<'_>> {
    let name = |method: &Method<'_>| format!("{} {}", method.verb, method.path.unwrap_or_default());
    methods.into_iter().map(|method| (name(&method), method)).collect()
}

/// What a document defines as the authorizer of one of its methods.
fn authorizer_in(document: &Value, method: &Method<'_>) -> Option<Authorizer> {
    let Callers::Let(let_in) = method.callers else { return None };
    Some(Authorizer::of_document(let_in.by, scheme(document, let_in.by)))
}

/// What the template says of an API's methods.
struct Declared {
    /// By verb and path.
    resources: BTreeMap<String, Arc<Value>>,
    /// Their authorizers, by id.
    authorizers: BTreeMap<String, Arc<Value>>,
    document: Value,
}

impl Declared {
    /// `None` of an API that keeps what its document does not have, or has its paths elsewhere.
    fn of(api: &str, desired: &Desired, inventory: &Inventory) -> Option<Self> {
        let known = |id: &LogicalId, name: &str| live(inventory, id)?.attributes.get(name).cloned();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let of_type = |resource_type: &'static str| {
            let of_type = of_type(&desired.graph, resource_type);
            of_type
                .filter_map(|it| Some((&it.logical_id, desired.properties(&it.logical_id, &known).ok()?)))
                .collect::<Vec<_>>()
        };
        let parts: BTreeMap<String, (String, String)> = of_type("AWS::ApiGateway::Resource")
            .into_iter()
            .filter_map(|(id, it)| Some((text(&known(id, REF)?), (text(&it["ParentId"]), text(&it["PathPart"])))))
            .collect();
        let methods = of_type(METHOD).into_iter().filter(|(_, it)| it["RestApiId"] == api);
        let methods = methods.map(|(_, it)| {
            let path = path_of(&text(&it["ResourceId"]), &parts);
            (format!("{} {path}", text(&it["HttpMethod"])), it)
        });
        let authorizers = of_type("AWS::ApiGateway::Authorizer").into_iter();
        let authorizers = authorizers.filter_map(|(id, it)| Some((text(&known(id, REF)?), it))).collect();
        let is_this = |id: &LogicalId| known(id, REF).is_some_and(|it| it == api);
        let own = of_type(REST_API).into_iter().find(|(id, _)| is_this(id)).map(|(_, it)| it).unwrap_or_default();
        let is_as_written =
            own["Mode"] != "merge" && own["Parameters"].as_object().is_none_or(serde_json::Map::is_empty);
        is_as_written.then(|| Self { resources: methods.collect(), authorizers, document: own["Body"].clone() })
    }

    /// The authorizer of a method; `None` where it has none, or one that the template does not declare.
    fn authorizer(&self, method: &Method<'_>) -> Option<Authorizer> {
        match (method.callers, method.path) {
            (Callers::Let(_), Some(_)) => authorizer_in(&self.document, method),
            (Callers::Let(let_in), None) => self.authorizers.get(let_in.by).map(|it| Authorizer::of_resource(it)),
            _ => None,
        }
    }

    fn methods(&self) -> BTreeMap<String, Method<'_>> {
        let resources = self.resources.iter().map(|(name, method)| (name.clone(), of_resource(method)));
        named(of_document(&self.document)).into_iter().chain(resources).collect()
    }
}

/// The path of a resource, by every resource's parent and part.
fn path_of(resource: &str, parts: &BTreeMap<String, (String, String)>) -> String {
    let mut path = String::new();
    let mut at = resource;
    // A circle of parents is none that AWS would have made.
    for _ in 0..=parts.len() {
        let Some((parent, part)) = parts.get(at) else { break };
        path = format!("/{part}{path}");
        at = parent;
    }
    if path.is_empty() { "/".to_owned() } else { path }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fake::line::{Account, desired};
    use crate::plan::{Options, diff};

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
        let mut inventory = account.inventory(&desired, &account.ledgers.load());
        inventory.served.insert("Stage".into(), document(paths));
        differences(&desired, &inventory).pop()
    }

    fn document(paths: Value) -> Value {
        let key = json!({"type": "apiKey", "name": "x-api-key", "in": "header"});
        json!({"openapi": "3.0.1", "paths": paths, "components": {"securitySchemes": {"api_key": key}}})
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

    #[test]
    fn a_snapshot_whose_authorizer_was_another_one_differs() {
        let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/decides/invocations";
        let guarded = TEMPLATE
            .replace("AuthorizationType: NONE", "AuthorizationType: CUSTOM, AuthorizerId: !Ref Decides")
            .replace("  Deployment:", &format!("  Decides: {{ Type: AWS::ApiGateway::Authorizer, Properties: {{ RestApiId: !Ref Api, Name: decides, Type: TOKEN, IdentitySource: method.request.header.Authorization, AuthorizerUri: '{uri}' }} }}\n  Deployment:"));
        let (account, desired) = (Account::default(), desired(&guarded));
        account.apply(&desired);
        let served = |security: Value, uri: &str| {
            let mut operation = get_one();
            operation["security"] = security;
            let mut export = document(json!({"/orders/{id}": {"get": operation}, "/": {"get": get_one()}}));
            export["components"]["securitySchemes"]["decides"] = json!({
                "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": uri, "authorizerResultTtlInSeconds": 300},
            });
            let mut inventory = account.inventory(&desired, &account.ledgers.load());
            inventory.served.insert("Stage".into(), export);
            differences(&desired, &inventory).pop().expect("`GET /` is not declared").differing
        };
        let asks = json!([{"api_key": [], "decides": []}]);
        assert_eq!(served(asks.clone(), uri), BTreeSet::new());
        assert_eq!(served(asks, "another"), BTreeSet::from(["the authorizer `decides`".to_owned()]));
    }

    #[test]
    fn a_snapshot_that_is_not_as_declared_is_taken_anew_once() {
        let (account, declared) = (Account::default(), desired(TEMPLATE));
        account.apply(&declared);
        let plan = |paths: Value| {
            let ledger = account.ledgers.load();
            let mut inventory = account.inventory(&declared, &ledger);
            inventory.served.insert("Stage".into(), document(paths));
            let served = differences(&declared, &inventory);
            let wanted = with_new_snapshots(&declared, &inventory, &served, &BTreeSet::new());
            let mut plan = diff(&wanted, &inventory, &ledger, &Options::default());
            tell(&mut plan, served);
            plan
        };
        let mut other = get_one();
        other["x-amazon-apigateway-integration"]["type"] = json!("http");
        let stale = json!({"/orders/{id}": {"get": other}});
        let planned = plan(stale.clone());
        let replaced = planned.steps.iter().find(|step| matches!(step.action, Action::Replace { .. })).expect("one");
        assert_eq!(replaced.logical_id.as_str(), "Deployment");
        assert_eq!(replaced.changes()[0].cause, Cause::Drift);
        account.apply(&as_planned(&declared, &planned));
        let still = plan(stale);
        assert!(still.is_empty(), "{:#?}", still.touching().collect::<Vec<_>>());
        assert_eq!(still.remarks.served.len(), 1, "it is still said");
        assert!(plan(json!({"/orders/{id}": {"get": get_one()}})).is_empty());
    }

    #[test]
    fn the_methods_of_a_document_are_declared_as_well() {
        let body = document(json!({"/orders/{id}": {"get": get_one()}}));
        let template = format!(
            "Resources:\n  Api: {{ Type: AWS::ApiGateway::RestApi, Properties: {{ Name: orders, Body: {body} }} }}\n  Deployment: {{ Type: \
             AWS::ApiGateway::Deployment, Properties: {{ RestApiId: !Ref Api }} }}\n  Stage: {{ Type: AWS::ApiGateway::Stage, \
             Properties: {{ RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: dev }} }}\n"
        );
        let (account, desired) = (Account::default(), desired(&template));
        account.apply(&desired);
        let mut inventory = account.inventory(&desired, &account.ledgers.load());
        inventory.served.insert("Stage".into(), body);
        assert_eq!(differences(&desired, &inventory), []);
        inventory.served.insert("Stage".into(), document(json!({})));
        let lacking = differences(&desired, &inventory).pop().expect("it differs");
        assert_eq!(lacking.not_served, BTreeSet::from(["GET /orders/{id}".to_owned()]));
    }
}
