//! What the types of AWS WAF need.

use super::{Need, anything, besides, need, rules_of_others, stages, web_acls};

pub(super) const NEEDS: &[Need] = &[
    need("AWS::WAFv2::IPSet", anything, &["wafv2.ListIPSets"]),
    need(
        "AWS::WAFv2::IPSet",
        |it| it.in_firewall("ipset"),
        &[
            "wafv2.CreateIPSet",
            "wafv2.DeleteIPSet",
            "wafv2.GetIPSet",
            "wafv2.ListTagsForResource",
            "wafv2.TagResource",
            "wafv2.UntagResource",
            "wafv2.UpdateIPSet",
        ],
    ),
    need(
        "AWS::WAFv2::LoggingConfiguration",
        web_acls,
        &["wafv2.DeleteLoggingConfiguration", "wafv2.GetLoggingConfiguration", "wafv2.PutLoggingConfiguration"],
    ),
    besides(
        "AWS::WAFv2::LoggingConfiguration",
        anything,
        &[
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:PutResourcePolicy",
        ],
    ),
    besides(
        "AWS::WAFv2::LoggingConfiguration",
        |it| vec![it.scope.global_arn("iam", "role/aws-service-role/wafv2.amazonaws.com/*")],
        &["iam:CreateServiceLinkedRole"],
    ),
    need("AWS::WAFv2::WebACL", anything, &["wafv2.ListWebACLs"]),
    need(
        "AWS::WAFv2::WebACL",
        |it| it.in_firewall("webacl"),
        &[
            "wafv2.CreateWebACL",
            "wafv2.DeleteWebACL",
            "wafv2.GetWebACL",
            "wafv2.ListTagsForResource",
            "wafv2.TagResource",
            "wafv2.UntagResource",
            "wafv2.UpdateWebACL",
        ],
    ),
    // What a web ACL refers to has to be allowed too.
    need("AWS::WAFv2::WebACL", rules_of_others, &["wafv2.CreateWebACL", "wafv2.UpdateWebACL"]),
    need(
        "AWS::WAFv2::WebACLAssociation",
        web_acls,
        &["wafv2.AssociateWebACL", "wafv2.DisassociateWebACL", "wafv2.GetWebACL", "wafv2.GetWebACLForResource"],
    ),
    need(
        "AWS::WAFv2::WebACLAssociation",
        stages,
        &["wafv2.AssociateWebACL", "wafv2.DisassociateWebACL", "wafv2.GetWebACLForResource"],
    ),
    besides("AWS::WAFv2::WebACLAssociation", stages, &["apigateway:SetWebACL"]),
    need("AWS::WAFv2::RegexPatternSet", anything, &["wafv2.ListRegexPatternSets"]),
    need(
        "AWS::WAFv2::RegexPatternSet",
        |it| it.in_firewall("regexpatternset"),
        &[
            "wafv2.CreateRegexPatternSet",
            "wafv2.DeleteRegexPatternSet",
            "wafv2.GetRegexPatternSet",
            "wafv2.ListTagsForResource",
            "wafv2.TagResource",
            "wafv2.UntagResource",
            "wafv2.UpdateRegexPatternSet",
        ],
    ),
    need("AWS::WAFv2::RuleGroup", anything, &["wafv2.ListRuleGroups"]),
    need(
        "AWS::WAFv2::RuleGroup",
        |it| it.in_firewall("rulegroup"),
        &[
            "wafv2.CreateRuleGroup",
            "wafv2.DeleteRuleGroup",
            "wafv2.GetRuleGroup",
            "wafv2.ListTagsForResource",
            "wafv2.TagResource",
            "wafv2.UntagResource",
            "wafv2.UpdateRuleGroup",
        ],
    ),
    // What a rule group refers to has to be allowed too.
    need("AWS::WAFv2::RuleGroup", rules_of_others, &["wafv2.CreateRuleGroup", "wafv2.UpdateRuleGroup"]),
];
