//! `paystack smoke` on the payments system: both ways through it, to their ends.

use serde_json::Value;

use crate::harness::{Account, Paystack, Ran};

const OWN_ACCOUNT: [&str; 2] = ["-p", "ManageApiGatewayAccount=true"];

pub struct Deployed {
    paystack: Paystack,
    pub account: Account,
}

impl Deployed {
    /// The payments system, in which a message that failed comes again after seconds, not minutes.
    pub fn new() -> Self {
        let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
        paystack.copy("paystack.toml").copy("examples/payments").copy("handlers");
        let template = "examples/payments/template.yaml";
        paystack.replace(template, "VisibilityTimeout: 180", "VisibilityTimeout: 10");
        paystack.replace(template, "Timeout: 30", "Timeout: 10");
        let levels = "[policy.levels]\nsource-visibility = 'advisory'\n\n[policy.tags]";
        paystack.replace("paystack.toml", "[policy.tags]", levels);
        let deployed = Self { paystack, account };
        deployed.run(&["apply", "--auto-approve"], 0);
        deployed
    }

    #[track_caller]
    fn run(&self, arguments: &[&str], code: i32) -> Ran {
        self.paystack.run(&self.account, &[arguments, &OWN_ACCOUNT].concat()).exits(code)
    }

    /// Where the emulator serves the API: its address is not the one that AWS would give.
    pub fn url(&self) -> String {
        let real = self.run(&["output", "ApiUrl"], 0).stdout;
        let (api, _) =
            real.trim().trim_start_matches("https://").split_once('.').expect("the API's id begins its host");
        format!("{}/_aws/execute-api/{api}/dev/webhooks", self.account.endpoint())
    }

    /// The API key's value.
    pub fn key(&self) -> String {
        let id = self.run(&["output", "ApiKeyId"], 0).stdout;
        let asked = serde_json::json!({"apiKey": id.trim(), "includeValue": true});
        let key = self.account.aws("apigateway", "get_api_key", asked);
        key["value"].as_str().expect("a key has a value").to_owned()
    }
}

fn names(smoked: &Value) -> Vec<&str> {
    let reached = smoked["reached"].as_array().expect("places");
    reached.iter().filter_map(|it| it["name"].as_str()).collect()
}

#[test]
fn a_webhook_and_a_message_that_fails_are_followed_to_their_ends() {
    let deployed = Deployed::new();
    let url = deployed.url();

    let smoked = deployed.run(&["smoke", "--url", &url, "--format", "json"], 0).json();
    assert_eq!(names(&smoked), ["answered 202", "stored", "queued", "booked"]);
    assert_eq!(smoked["missed"], Value::Null);
    let times: Vec<u64> =
        smoked["reached"].as_array().into_iter().flatten().filter_map(|it| it["after_milliseconds"].as_u64()).collect();
    assert!(times.is_sorted(), "{times:?}");

    let text = deployed.run(&["smoke", "--url", &url], 0);
    assert!(text.stdout.contains("Everything arrived."), "{}", text.stdout);
    assert!(!format!("{}{}", text.stdout, text.stderr).contains(&deployed.key()), "the key is shown nowhere");

    let smoked = deployed.run(&["smoke", "--failing", "--format", "json"], 0).json();
    assert_eq!(names(&smoked), ["queued", "refused by accounting", "alerted"]);

    // The firewall of a key: without one the API refuses.
    deployed.paystack.replace("paystack.toml", "api_key = \"ApiKey\"\n", "");
    let refused = deployed.run(&["smoke", "--url", &url], 1).stdout;
    assert!(refused.contains("answered 403: instead of 202"), "{refused}");
}

#[test]
fn what_is_not_deployed_or_not_described_is_said() {
    let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
    paystack.copy("paystack.toml").copy("examples/payments").copy("handlers");
    let ran = paystack.run(&account, &["smoke"]).exits(1);
    assert!(ran.stderr.contains("the stack is not deployed"), "{}", ran.stderr);
    paystack.replace("paystack.toml", "queue = \"ProcessingQueue\"", "queue = \"ProcesingQueue\"");
    let ran = paystack.run(&account, &["smoke"]).exits(1);
    assert!(ran.stderr.contains("did you mean `ProcessingQueue`?"), "{}", ran.stderr);
    paystack.copy("examples/waf-ipset.yaml");
    let ran = paystack.run(&account, &["smoke", "--template", "examples/waf-ipset.yaml", "--stack", "demo"]).exits(1);
    assert!(ran.stderr.contains("add `[smoke]` to paystack.toml"), "{}", ran.stderr);
}
