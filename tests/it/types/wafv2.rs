use std::sync::Arc;

use paystack::aws::clock::SystemClock;
use paystack::aws::{Context, Packages};
use paystack::change::Changes;
use paystack::identity::{LogicalId, PhysicalId, ResourceType, StackId};
use paystack::resource::{Made, Owner, Resource, row, tags};
use serde_json::{Value, json};

use crate::conformance::{Case, check, connection, makes, resource, with};

fn measured(name: &str) -> Value {
    json!({"CloudWatchMetricsEnabled": true, "MetricName": name, "SampledRequestsEnabled": true})
}

fn rule(priority: i32, name: &str, statement: Value) -> Value {
    json!({
        "Name": name,
        "Priority": priority,
        "Action": {"Block": {}},
        "Statement": statement,
        "VisibilityConfig": measured(name),
    })
}

#[tokio::test]
async fn wafv2_ip_set() {
    let set = |rest: Value| with(json!({"Name": "office", "Scope": "REGIONAL", "IPAddressVersion": "IPV4"}), rest);
    check(Case {
        before: vec![],
        subject: resource(
            "Office",
            "AWS::WAFv2::IPSet",
            set(json!({
                "Description": "The office's networks",
                "Addresses": ["198.51.100.7/24", "192.0.2.44/32"],
                "Tags": [{"Key": "Owner", "Value": "me"}],
            })),
        ),
        updates: vec![
            set(json!({"Description": "Where we sit", "Addresses": ["192.0.2.44/32", "203.0.113.0/24"]})),
            set(json!({"Addresses": ["203.0.113.0/24"], "Tags": [{"Key": "Owner", "Value": "you"}]})),
            set(json!({"Addresses": []})),
        ],
    })
    .await;
}

#[tokio::test]
async fn wafv2_ip_set_of_the_other_version() {
    check(Case {
        before: vec![],
        subject: resource(
            "Office",
            "AWS::WAFv2::IPSet",
            json!({
                "Name": "office-six",
                "Scope": "CLOUDFRONT",
                "IPAddressVersion": "IPV6",
                "Addresses": ["2001:0DB8:0:0:0:0:0:1/64"],
            }),
        ),
        updates: vec![json!({
            "Name": "office-six",
            "Scope": "CLOUDFRONT",
            "IPAddressVersion": "IPV6",
            "Addresses": ["2001:db8::/64", "2001:db8:1::/48"],
        })],
    })
    .await;
}

#[tokio::test]
async fn wafv2_web_acl() {
    let acl = |rest: Value| {
        with(json!({"Name": "orders", "Scope": "REGIONAL", "VisibilityConfig": measured("orders")}), rest)
    };
    let limited = rule(2, "limit", json!({"RateBasedStatement": {"AggregateKeyType": "IP", "Limit": 1000}}));
    let managed = json!({
        "Name": "common",
        "Priority": 0,
        "OverrideAction": {"None": {}},
        "Statement": {"ManagedRuleGroupStatement": {
            "VendorName": "AWS",
            "Name": "AWSManagedRulesCommonRuleSet",
            "RuleActionOverrides": [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}],
            "ScopeDownStatement": {"NotStatement": {"Statement": {"ByteMatchStatement": {
                "SearchString": "/health",
                "FieldToMatch": {"UriPath": {}},
                "PositionalConstraint": "EXACTLY",
                "TextTransformations": [{"Priority": 1, "Type": "LOWERCASE"}, {"Priority": 0, "Type": "URL_DECODE"}],
            }}}},
        }},
        "VisibilityConfig": measured("common"),
    });
    let office = rule(1, "office", json!({"IPSetReferenceStatement": {"Arn": {"Fn::GetAtt": ["Office", "Arn"]}}}));
    check(Case {
        before: vec![resource(
            "Office",
            "AWS::WAFv2::IPSet",
            json!({"Name": "orders-office", "Scope": "REGIONAL", "IPAddressVersion": "IPV4", "Addresses": []}),
        )],
        subject: resource(
            "Acl",
            "AWS::WAFv2::WebACL",
            acl(json!({
                "Description": "Protects the orders API",
                "DefaultAction": {"Allow": {"CustomRequestHandling": {
                    "InsertHeaders": [{"Name": "x-seen", "Value": "1"}],
                }}},
                "Rules": [limited, managed, office],
                "CaptchaConfig": {"ImmunityTimeProperty": {"ImmunityTime": 600}},
                "ChallengeConfig": {"ImmunityTimeProperty": {"ImmunityTime": 600}},
                "CustomResponseBodies": {"busy": {"Content": "{}", "ContentType": "APPLICATION_JSON"}},
                "TokenDomains": ["orders.example.com", "example.com"],
                "AssociationConfig": {"RequestBody": {"API_GATEWAY": {"DefaultSizeInspectionLimit": "KB_32"}}},
                "DataProtectionConfig": {"DataProtections": [
                    {"Field": {"FieldType": "SINGLE_HEADER", "FieldKeys": ["authorization"]}, "Action": "HASH"},
                ]},
                "OnSourceDDoSProtectionConfig": {"ALBLowReputationMode": "ALWAYS_ON"},
                "Tags": [{"Key": "Owner", "Value": "me"}],
            })),
        ),
        updates: vec![
            acl(json!({
                "DefaultAction": {"Block": {"CustomResponse": {"ResponseCode": 503, "CustomResponseBodyKey": "busy"}}},
                "Rules": [office, rule(0, "abroad", json!({"OrStatement": {"Statements": [
                    {"GeoMatchStatement": {"CountryCodes": ["KP", "AQ"]}},
                    {"SqliMatchStatement": {
                        "FieldToMatch": {"SingleHeader": {"Name": "X-Search"}},
                        "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
                    }},
                ]}}))],
                "CustomResponseBodies": {"busy": {"Content": "later", "ContentType": "TEXT_PLAIN"}},
            })),
            acl(json!({"DefaultAction": {"Allow": {}}, "Tags": [{"Key": "Owner", "Value": "you"}]})),
            acl(json!({"DefaultAction": {"Allow": {}}})),
        ],
    })
    .await;
}

#[tokio::test]
async fn wafv2_logging_configuration() {
    let logging = |destination: &str, rest: Value| {
        with(
            json!({
                "ResourceArn": {"Fn::GetAtt": ["Acl", "Arn"]},
                "LogDestinationConfigs": [{"Fn::Sub": destination}],
            }),
            rest,
        )
    };
    let group = "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:aws-waf-logs-orders";
    check(Case {
        before: vec![resource(
            "Acl",
            "AWS::WAFv2::WebACL",
            json!({
                "Name": "logged",
                "Scope": "REGIONAL",
                "DefaultAction": {"Allow": {}},
                "VisibilityConfig": measured("logged"),
            }),
        )],
        subject: resource(
            "Logging",
            "AWS::WAFv2::LoggingConfiguration",
            logging(
                &format!("{group}:*"),
                json!({
                    "RedactedFields": [{"SingleHeader": {"Name": "Authorization"}}, {"QueryString": {}}],
                    "LoggingFilter": {
                        "DefaultBehavior": "DROP",
                        "Filters": [{
                            "Behavior": "KEEP",
                            "Requirement": "MEETS_ANY",
                            "Conditions": [
                                {"ActionCondition": {"Action": "BLOCK"}},
                                {"LabelNameCondition": {"LabelName": "awswaf:managed:aws:core-rule-set:NoUserAgent"}},
                            ],
                        }],
                    },
                }),
            ),
        ),
        updates: vec![
            logging(group, json!({"RedactedFields": [{"Method": {}}]})),
            logging(&format!("{group}-more"), json!({})),
        ],
    })
    .await;
}

#[tokio::test]
async fn wafv2_web_acl_association() {
    let acl = json!({
        "Name": "associated",
        "Scope": "REGIONAL",
        "DefaultAction": {"Allow": {}},
        "VisibilityConfig": measured("associated"),
    });
    let get = json!({
        "RestApiId": {"Ref": "Api"},
        "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
        "HttpMethod": "GET",
        "AuthorizationType": "NONE",
        "Integration": {"Type": "MOCK"},
    });
    let stage = json!({"RestApiId": {"Ref": "Api"}, "StageName": "live", "DeploymentId": {"Ref": "Deployment"}});
    check(Case {
        before: vec![
            resource("Acl", "AWS::WAFv2::WebACL", acl),
            resource("Api", "AWS::ApiGateway::RestApi", json!({"Name": "orders"})),
            resource("Get", "AWS::ApiGateway::Method", get),
            resource(
                "Deployment",
                "AWS::ApiGateway::Deployment",
                json!({"RestApiId": {"Ref": "Api"}, "ContentDigest": "aaaa"}),
            ),
            resource("Stage", "AWS::ApiGateway::Stage", stage),
        ],
        subject: resource(
            "Association",
            "AWS::WAFv2::WebACLAssociation",
            json!({
                "ResourceArn": {"Fn::Sub": "arn:aws:apigateway:${AWS::Region}::/restapis/${Api}/stages/${Stage}"},
                "WebACLArn": {"Fn::GetAtt": ["Acl", "Arn"]},
            }),
        ),
        updates: vec![],
    })
    .await;
}

/// A resource of a test that the conformance test's frame does not fit.
struct Thing {
    handler: &'static dyn Resource,
    owner: Owner,
    wanted: Value,
}

fn thing(logical_id: &str, resource_type: &str, mut properties: Value) -> Thing {
    let handler = row(&ResourceType::from(resource_type)).expect("the type is in the table").handler;
    let owner = Owner { stack: StackId::from("it"), resource: LogicalId::from(logical_id) };
    if handler.tagged_as().is_some() {
        tags::add(&mut properties, &std::collections::BTreeMap::new(), &owner);
    }
    let wanted = handler.canonical(&properties).expect("fits");
    Thing { handler, owner, wanted }
}

impl Thing {
    async fn create(&self, cx: &Context) -> Made {
        makes(self.handler, cx, &self.owner, &self.wanted).await.expect("create")
    }

    async fn find(&self, cx: &Context) -> Option<PhysicalId> {
        self.handler.find(cx, &self.owner, &self.wanted).await.expect("find")
    }

    async fn is_there(&self, cx: &Context, id: &PhysicalId) -> bool {
        let Some(live) = self.handler.read(cx, id).await.expect("read") else { return false };
        assert!(Changes::between(&live.properties, &self.wanted).is_empty());
        true
    }

    async fn delete(&self, cx: &Context, id: &PhysicalId) {
        self.handler.delete(cx, id).await.expect("delete");
    }
}

fn web_acl(name: &str, rules: Value) -> Thing {
    let acl = json!({
        "Name": name,
        "Scope": "REGIONAL",
        "DefaultAction": {"Allow": {}},
        "Rules": rules,
        "VisibilityConfig": measured(name),
    });
    thing(name, "AWS::WAFv2::WebACL", acl)
}

/// The ARN of a stage that was made with the service's own calls.
async fn stage(cx: &Context) -> String {
    let apis = &cx.apigateway;
    let api = apis.create_rest_api().name("orders").send().await.expect("an API");
    let (id, root) = (api.id.expect("id"), api.root_resource_id.expect("root"));
    let method = apis.put_method().rest_api_id(&id).resource_id(&root).http_method("GET").authorization_type("NONE");
    method.send().await.expect("a method");
    let integration = apis.put_integration().rest_api_id(&id).resource_id(&root).http_method("GET");
    integration.r#type("MOCK".into()).send().await.expect("an integration");
    let deployment = apis.create_deployment().rest_api_id(&id).stage_name("live");
    deployment.send().await.expect("a deployment");
    format!("arn:aws:apigateway:{}::/restapis/{id}/stages/live", cx.scope.region)
}

#[tokio::test]
async fn wafv2_web_acl_association_yields_to_another_and_leaves_it_alone() {
    let cx = Context::new(&connection().await, Packages::new(), Arc::new(SystemClock::start()));
    let stage = stage(&cx).await;
    let mut associations = Vec::new();
    for name in ["ours", "theirs"] {
        let acl = web_acl(name, json!([])).create(&cx).await;
        let ends = json!({"ResourceArn": stage, "WebACLArn": acl.attributes["Arn"]});
        associations.push(thing("Association", "AWS::WAFv2::WebACLAssociation", ends));
    }
    let [ours, theirs] = &associations[..] else { unreachable!("two") };
    assert_eq!(ours.find(&cx).await, None, "nothing is there at first");
    let made = ours.create(&cx).await;
    assert_eq!(made.attributes, ours.handler.predict(&cx.scope, &ours.wanted));
    assert_eq!(ours.create(&cx).await, made, "a repeated create changes nothing");
    assert_eq!(ours.find(&cx).await, Some(made.id.clone()));
    assert!(ours.is_there(&cx, &made.id).await);

    let other = theirs.create(&cx).await;
    assert!(!ours.is_there(&cx, &made.id).await, "the other took its place");
    assert_eq!(ours.find(&cx).await, None);
    ours.delete(&cx, &made.id).await;
    assert!(theirs.is_there(&cx, &other.id).await, "the other one's association stays");

    theirs.delete(&cx, &other.id).await;
    assert_eq!(theirs.find(&cx).await, None);
    theirs.delete(&cx, &other.id).await;
}

#[tokio::test]
async fn wafv2_web_acl_keeps_what_shield_advanced_added() {
    let cx = Context::new(&connection().await, Packages::new(), Arc::new(SystemClock::start()));
    let shields =
        rule(10_000_000, "ShieldMitigationRuleGroup_1_2_3", json!({"GeoMatchStatement": {"CountryCodes": ["AQ"]}}));
    let id = web_acl("orders", json!([shields])).create(&cx).await.id;
    let ours = web_acl("orders", json!([rule(0, "few", json!({"GeoMatchStatement": {"CountryCodes": ["KP"]}}))]));
    let changes = Changes::between(&json!({}), &ours.wanted);

    // Whoever comes second finds that its lock token is an old one, and looks again.
    let update = || ours.handler.update(&cx, &ours.owner, &id, &ours.wanted, &changes);
    let (one, other) = futures::join!(update(), update());
    assert_eq!((one.expect("update"), other.expect("update")), (id.clone(), id.clone()));

    assert!(ours.is_there(&cx, &id).await);
    let [name, unique, _] = id.as_str().split('|').collect::<Vec<_>>()[..] else { panic!("{id}") };
    let live = cx.wafv2.get_web_acl().name(name).id(unique).scope("REGIONAL".into()).send().await.expect("live");
    let rules = live.web_acl.expect("web ACL").rules.unwrap_or_default();
    assert_eq!(rules.iter().map(|rule| rule.name()).collect::<Vec<_>>(), ["few", "ShieldMitigationRuleGroup_1_2_3"]);
    ours.delete(&cx, &id).await;
}

#[tokio::test]
async fn wafv2_regex_pattern_set() {
    let set = |patterns: &[&str], more: Value| {
        with(json!({"Name": "bots", "Scope": "REGIONAL", "RegularExpressionList": patterns}), more)
    };
    check(Case {
        before: vec![],
        subject: resource(
            "Bots",
            "AWS::WAFv2::RegexPatternSet",
            set(&["^curl", "^wget"], json!({"Description": "agents", "Tags": [{"Key": "Owner", "Value": "me"}]})),
        ),
        updates: vec![set(&["^curl"], json!({"Tags": [{"Key": "Owner", "Value": "you"}]})), set(&["^wget"], json!({}))],
    })
    .await;
}

#[tokio::test]
async fn wafv2_rule_group() {
    let visible =
        |name: &str| json!({"CloudWatchMetricsEnabled": true, "MetricName": name, "SampledRequestsEnabled": true});
    let rule = |countries: &[&str]| {
        json!({
            "Name": "far",
            "Priority": 0,
            "Action": {"Block": {}},
            "Statement": {"GeoMatchStatement": {"CountryCodes": countries}},
            "VisibilityConfig": visible("far"),
            "RuleLabels": [{"Name": "geo:far"}],
        })
    };
    let group = |rules: Value, more: Value| {
        with(
            json!({
                "Name": "orders",
                "Scope": "REGIONAL",
                "Capacity": 10,
                "VisibilityConfig": visible("orders"),
                "Rules": rules,
            }),
            more,
        )
    };
    check(Case {
        before: vec![],
        subject: resource(
            "Rules",
            "AWS::WAFv2::RuleGroup",
            group(
                json!([rule(&["AQ", "KP"])]),
                json!({"Description": "what all shops refuse", "Tags": [{"Key": "Owner", "Value": "me"}]}),
            ),
        ),
        updates: vec![
            group(json!([rule(&["AQ"])]), json!({"Tags": [{"Key": "Owner", "Value": "you"}]})),
            group(json!([]), json!({})),
        ],
    })
    .await;
}
