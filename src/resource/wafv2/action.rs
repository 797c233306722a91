//! What is done with a request.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_wafv2::types as sdk;

use crate::resource::wafv2::shape::{Shape, Untranslatable, Word, bare, kinds, shapes};

kinds! {
    /// What a web ACL does with a request that no rule decided on.
    DefaultAction = DefaultAction {
        Allow(AllowAction): allow,
        Block(BlockAction): block,
    }

    RuleAction = RuleAction {
        Allow(AllowAction): allow,
        Block(BlockAction): block,
        Captcha(CaptchaAction): captcha,
        Challenge(ChallengeAction): challenge,
        Count(CountAction): count,
        Monetize(MonetizeAction): monetize,
    }

    /// What a rule does with the decision of the rule group that it refers to.
    OverrideAction = OverrideAction {
        Count(CountAction): count,
        None(NoneAction): none,
    }
}

bare!(NoneAction);

shapes! {
    AllowAction = AllowAction {
        custom_request_handling: Option<CustomRequestHandling>,
    }

    BlockAction = BlockAction {
        custom_response: Option<CustomResponse>,
    }

    CaptchaAction = CaptchaAction {
        custom_request_handling: Option<CustomRequestHandling>,
    }

    ChallengeAction = ChallengeAction {
        custom_request_handling: Option<CustomRequestHandling>,
    }

    CountAction = CountAction {
        custom_request_handling: Option<CustomRequestHandling>,
    }

    MonetizeAction = MonetizeAction {
        price_multiplier: Option<String>,
    }

    CustomRequestHandling = CustomRequestHandling {
        insert_headers: Vec<CustomHttpHeader>,
    }

    CustomResponse = CustomResponse {
        response_code: i32,
        custom_response_body_key: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        response_headers: Vec<CustomHttpHeader>,
    }

    CustomHttpHeader = CustomHttpHeader {
        name: String,
        value: String,
    }

    CustomResponseBody = CustomResponseBody {
        content: String,
        content_type: Word<sdk::ResponseContentType>,
    }

    CaptchaConfig = CaptchaConfig {
        immunity_time_property: Option<ImmunityTimeProperty>,
    }

    ChallengeConfig = ChallengeConfig {
        immunity_time_property: Option<ImmunityTimeProperty>,
    }

    ImmunityTimeProperty = ImmunityTimeProperty {
        immunity_time: i64,
    }

    VisibilityConfig = VisibilityConfig {
        cloud_watch_metrics_enabled: bool,
        metric_name: String,
        sampled_requests_enabled: bool,
    }
}

type Bodies = HashMap<String, sdk::CustomResponseBody>;

/// The bodies that responses refer to by name.
pub(super) fn sdk_bodies(bodies: &BTreeMap<String, CustomResponseBody>) -> Result<Option<Bodies>, Untranslatable> {
    let mut all = Bodies::new();
    for (key, body) in bodies {
        all.extend(body.to_part()?.map(|body| (key.clone(), body)));
    }
    Ok(Some(all).filter(|bodies| !bodies.is_empty()))
}

pub(super) fn bodies_of(live: Option<Bodies>) -> Result<BTreeMap<String, CustomResponseBody>, Untranslatable> {
    let live = live.unwrap_or_default().into_iter();
    live.map(|(key, body)| Ok((key, CustomResponseBody::from_sdk(Some(body))?))).collect()
}
