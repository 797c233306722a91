//! What roles, users, groups and their policies take: one table says what the calls for each of the three are called.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::budget::calls::{length, texts, times};
use crate::budget::updating::is_marked_anew;
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::plan::{Plan, Step};
use crate::resource::iam::managed_policy;

/// Something that policies are put on.
pub struct Holder {
    /// What comes before its name where an identifier names several.
    prefix: &'static str,
    pub resource_type: &'static str,
    /// The type of an inline policy on one of them.
    policy_type: &'static str,
    /// The property that names one, and the one that names several.
    one: &'static str,
    several: &'static str,
    pub get: &'static str,
    pub list_policies: &'static str,
    pub list_attached: &'static str,
    pub get_policy: &'static str,
    put_policy: &'static str,
    delete_policy: &'static str,
    attach: &'static str,
    detach: &'static str,
    /// What only roles and users have.
    bound: Option<[&'static str; 2]>,
}

pub const GROUP: Holder = Holder {
    prefix: "group/",
    resource_type: "AWS::IAM::Group",
    policy_type: "AWS::IAM::GroupPolicy",
    one: "GroupName",
    several: "Groups",
    get: "iam.GetGroup",
    list_policies: "iam.ListGroupPolicies",
    list_attached: "iam.ListAttachedGroupPolicies",
    get_policy: "iam.GetGroupPolicy",
    put_policy: "iam.PutGroupPolicy",
    delete_policy: "iam.DeleteGroupPolicy",
    attach: "iam.AttachGroupPolicy",
    detach: "iam.DetachGroupPolicy",
    bound: None,
};

pub const ROLE: Holder = Holder {
    prefix: "role/",
    resource_type: "AWS::IAM::Role",
    policy_type: "AWS::IAM::RolePolicy",
    one: "RoleName",
    several: "Roles",
    get: "iam.GetRole",
    list_policies: "iam.ListRolePolicies",
    list_attached: "iam.ListAttachedRolePolicies",
    get_policy: "iam.GetRolePolicy",
    put_policy: "iam.PutRolePolicy",
    delete_policy: "iam.DeleteRolePolicy",
    attach: "iam.AttachRolePolicy",
    detach: "iam.DetachRolePolicy",
    bound: Some(["iam.PutRolePermissionsBoundary", "iam.DeleteRolePermissionsBoundary"]),
};

pub const USER: Holder = Holder {
    prefix: "user/",
    resource_type: "AWS::IAM::User",
    policy_type: "AWS::IAM::UserPolicy",
    one: "UserName",
    several: "Users",
    get: "iam.GetUser",
    list_policies: "iam.ListUserPolicies",
    list_attached: "iam.ListAttachedUserPolicies",
    get_policy: "iam.GetUserPolicy",
    put_policy: "iam.PutUserPolicy",
    delete_policy: "iam.DeleteUserPolicy",
    attach: "iam.AttachUserPolicy",
    detach: "iam.DetachUserPolicy",
    bound: Some(["iam.PutUserPermissionsBoundary", "iam.DeleteUserPermissionsBoundary"]),
};

const HOLDERS: [&Holder; 3] = [&GROUP, &ROLE, &USER];

/// Of an inline policy's type, what it is on.
pub fn holder_of_policy(resource_type: &str) -> Option<&'static Holder> {
    HOLDERS.into_iter().find(|it| it.policy_type == resource_type)
}

/// Each holder that the properties of an `AWS::IAM::Policy` or an `AWS::IAM::ManagedPolicy` name.
pub fn holders_in(policy: &Value) -> impl Iterator<Item = (&'static Holder, &str)> {
    HOLDERS.into_iter().flat_map(|holder| texts(&policy[holder.several]).map(move |name| (holder, name)))
}

impl Holder {
    /// The policies that a new one is given.
    fn giving(&self, wanted: &Value) -> Vec<&'static str> {
        [times(length(&wanted["Policies"]), self.put_policy), times(length(&wanted["ManagedPolicyArns"]), self.attach)]
            .concat()
    }

    /// All policies that are wanted are given again; what is wanted no more is taken off.
    fn changing(&self, changes: &Changes, live: &Value, wanted: &Value) -> Vec<&'static str> {
        let mut calls = Vec::new();
        if changes.touch("Policies") {
            calls.extend(times(set(inline(wanted)).len(), self.put_policy));
            calls.extend(times(lost(inline(live), inline(wanted)), self.delete_policy));
        }
        if changes.touch("ManagedPolicyArns") {
            calls.extend(times(set(attached(wanted)).len(), self.attach));
            calls.extend(times(lost(attached(live), attached(wanted)), self.detach));
        }
        if let Some([put, delete]) = self.bound.filter(|_| changes.touch("PermissionsBoundary")) {
            calls.push(if wanted["PermissionsBoundary"].is_null() { delete } else { put });
        }
        calls
    }

    /// The policies that are still on one that goes.
    fn stripping(&self, live: &Value, taken_off: &mut TakenOff) -> Vec<&'static str> {
        let name = live[self.one].as_str().unwrap_or_default();
        let mut calls = vec![self.list_attached, self.list_policies];
        calls.extend(taken_off.each(self.delete_policy, inline(live).map(|policy| (name, policy))));
        calls.extend(taken_off.each(self.detach, attached(live).map(|policy| (name, policy))));
        calls
    }
}

/// Of a create, what goes beyond the type's own table; `None` for a type that is not of this service.
pub fn creating(resource_type: &str, wanted: &Value) -> Option<Vec<&'static str>> {
    if let Some(Holder { get_policy, put_policy, .. }) = holder_of_policy(resource_type) {
        return Some(vec![get_policy, put_policy, get_policy]);
    }
    Some(match resource_type {
        "AWS::IAM::Group" => [times(2, GROUP.get), vec!["iam.CreateGroup"], GROUP.giving(wanted)].concat(),
        "AWS::IAM::InstanceProfile" => [
            times(2, "iam.GetInstanceProfile"),
            vec!["iam.CreateInstanceProfile"],
            times(length(&wanted["Roles"]), "iam.AddRoleToInstanceProfile"),
        ]
        .concat(),
        "AWS::IAM::ManagedPolicy" => {
            let attached = holders_in(wanted).map(|(holder, _)| holder.attach);
            times(3, "iam.GetPolicy").into_iter().chain(["iam.CreatePolicy"]).chain(attached).collect()
        }
        "AWS::IAM::Policy" => holders_in(wanted)
            .flat_map(|(Holder { get_policy, put_policy, .. }, _)| [*get_policy, *put_policy, *get_policy])
            .collect(),
        "AWS::IAM::Role" => [vec!["iam.CreateRole", ROLE.get], ROLE.giving(wanted)].concat(),
        "AWS::IAM::User" => {
            let groups = times(length(&wanted["Groups"]), "iam.AddUserToGroup");
            [times(2, USER.get), vec!["iam.CreateUser"], USER.giving(wanted), groups].concat()
        }
        "AWS::IAM::UserToGroupAddition" => {
            [times(2, GROUP.get), times(length(&wanted["Users"]), "iam.AddUserToGroup")].concat()
        }
        _ => return None,
    })
}

/// Of an update, the calls that change something. `None` for another type, or a change that is in none of these tables.
pub fn changing(
    plan: &Plan,
    step: &Step,
    changes: &Changes,
    live: &Value,
    wanted: &Value,
) -> Option<Vec<&'static str>> {
    let resource_type = step.resource_type.as_str();
    if let Some(Holder { get_policy, put_policy, .. }) = holder_of_policy(resource_type) {
        return Some(vec![put_policy, get_policy]);
    }
    let touches = |properties: &[&str]| usize::from(changes.touch_any(properties));
    Some(match resource_type {
        "AWS::IAM::Group" if changes.touch_only(&["ManagedPolicyArns", "Path", "Policies"]) => {
            [times(touches(&["Path"]), "iam.UpdateGroup"), GROUP.changing(changes, live, wanted)].concat()
        }
        "AWS::IAM::InstanceProfile" => {
            let [was, will_be] = [live, wanted].map(|side| &side["Roles"]);
            [
                vec!["iam.GetInstanceProfile"],
                times(usize::from(is_marked_anew(plan, step)), "iam.TagInstanceProfile"),
                times(lost(texts(was), texts(will_be)), "iam.RemoveRoleFromInstanceProfile"),
                times(lost(texts(will_be), texts(was)), "iam.AddRoleToInstanceProfile"),
            ]
            .concat()
        }
        "AWS::IAM::ManagedPolicy" => {
            let attached = holders_in(wanted).filter(|_| changes.touch_any(&["Groups", "Roles", "Users"]));
            let left = holders_in(live).filter(|(holder, name)| !texts(&wanted[holder.several]).any(|it| it == *name));
            let mut calls = vec!["iam.GetPolicy"];
            calls.extend(is_marked_anew(plan, step).then_some("iam.TagPolicy"));
            if changes.touch("PolicyDocument") {
                // What is in force, how many versions there are, and the oldest where there is no room for another one.
                let read = ["iam.GetPolicy", "iam.GetPolicyVersion", "iam.ListEntitiesForPolicy"];
                calls.extend(read.into_iter().chain(["iam.ListPolicyVersions", "iam.CreatePolicyVersion"]));
                calls.extend((versions(step)? == managed_policy::VERSIONS).then_some("iam.DeletePolicyVersion"));
            }
            calls.extend(attached.map(|(holder, _)| holder.attach));
            calls.extend(left.map(|(holder, _)| holder.detach));
            calls
        }
        "AWS::IAM::Policy" => {
            let is_kept = |holder: &Holder, name: &str| {
                live["PolicyName"] == wanted["PolicyName"] && texts(&wanted[holder.several]).any(|it| it == name)
            };
            let left = named_in(step.physical_id.as_ref()?).filter(|(holder, name)| !is_kept(holder, name));
            let put = holders_in(wanted).map(|(holder, _)| holder.put_policy);
            put.chain(left.map(|(holder, _)| holder.delete_policy)).collect()
        }
        "AWS::IAM::Role" if changes.touch_only(ROLES_OWN) => [
            times(touches(&["AssumeRolePolicyDocument"]), "iam.UpdateAssumeRolePolicy"),
            times(touches(&["Description", "MaxSessionDuration"]), "iam.UpdateRole"),
            ROLE.changing(changes, live, wanted),
        ]
        .concat(),
        "AWS::IAM::ServiceLinkedRole" => vec!["iam.UpdateRole"],
        "AWS::IAM::User" if changes.touch_only(USERS_OWN) => {
            let [was, will_be] = [live, wanted].map(|side| &side["Groups"]);
            [
                times(touches(&["Path"]), "iam.UpdateUser"),
                USER.changing(changes, live, wanted),
                times(touches(&["Groups"]) * length(will_be), "iam.AddUserToGroup"),
                times(lost(texts(was), texts(will_be)), "iam.RemoveUserFromGroup"),
            ]
            .concat()
        }
        "AWS::IAM::UserToGroupAddition" => {
            let (group, users) = members_in(step.physical_id.as_ref()?)?;
            let stays = |user: &&str| wanted["GroupName"] == group && texts(&wanted["Users"]).any(|it| it == *user);
            let left = users.filter(|user| !stays(user)).count();
            let joining = times(length(&wanted["Users"]), "iam.AddUserToGroup");
            [joining, vec![GROUP.get], times(left, "iam.RemoveUserFromGroup")].concat()
        }
        _ => return None,
    })
}

const ROLES_OWN: &[&str] = &[
    "AssumeRolePolicyDocument",
    "Description",
    "ManagedPolicyArns",
    "MaxSessionDuration",
    "PermissionsBoundary",
    "Policies",
];

const USERS_OWN: &[&str] = &["Groups", "ManagedPolicyArns", "Path", "PermissionsBoundary", "Policies"];

/// Of a deletion: the calls, and the first look whether it is gone. `None` for another type, or where nobody knows.
pub fn deleting(step: &Step, live: &Value, taken_off: &mut TakenOff) -> Option<Vec<&'static str>> {
    let policy = live["PolicyName"].as_str().unwrap_or_default();
    if let Some(holder) = holder_of_policy(step.resource_type.as_str()) {
        let name = live[holder.one].as_str().unwrap_or_default();
        return Some([taken_off.all(holder.delete_policy, [(name, policy)]), vec![holder.get_policy]].concat());
    }
    Some(match step.resource_type.as_str() {
        "AWS::IAM::Group" => [GROUP.stripping(live, taken_off), vec![GROUP.get, "iam.DeleteGroup", GROUP.get]].concat(),
        "AWS::IAM::InstanceProfile" => [
            times(2, "iam.GetInstanceProfile"),
            vec!["iam.DeleteInstanceProfile"],
            times(length(&live["Roles"]), "iam.RemoveRoleFromInstanceProfile"),
        ]
        .concat(),
        "AWS::IAM::ManagedPolicy" => {
            // What is not in force is deleted by itself.
            let idle = times(versions(step)? - 1, "iam.DeletePolicyVersion");
            let arn = step.physical_id.as_ref().map(PhysicalId::as_str).unwrap_or_default();
            let detached = holders_in(live).flat_map(|(holder, name)| taken_off.each(holder.detach, [(name, arn)]));
            let own = ["iam.ListEntitiesForPolicy", "iam.ListPolicyVersions", "iam.DeletePolicy", "iam.GetPolicy"];
            detached.chain(own).chain(idle).collect()
        }
        "AWS::IAM::Policy" => {
            let delete = |(holder, name): (&'static Holder, &str)| {
                [taken_off.all(holder.delete_policy, [(name, policy)]), vec![holder.get_policy]].concat()
            };
            named_in(step.physical_id.as_ref()?).flat_map(delete).collect()
        }
        "AWS::IAM::Role" => {
            let own = vec!["iam.ListInstanceProfilesForRole", "iam.DeleteRole", ROLE.get];
            [ROLE.stripping(live, taken_off), own].concat()
        }
        "AWS::IAM::User" => {
            let name = live["UserName"].as_str().unwrap_or_default();
            let own = ["iam.ListGroupsForUser", "iam.DeleteLoginProfile", "iam.ListAccessKeys", "iam.DeleteUser"];
            let left = taken_off.each("iam.RemoveUserFromGroup", texts(&live["Groups"]).map(|group| (group, name)));
            [USER.stripping(live, taken_off), left, own.to_vec(), vec![USER.get]].concat()
        }
        "AWS::IAM::UserToGroupAddition" => {
            let (group, users) = members_in(step.physical_id.as_ref()?)?;
            let left = taken_off.all("iam.RemoveUserFromGroup", users.map(|user| (group, user)));
            [left, vec![GROUP.get]].concat()
        }
        _ => return None,
    })
}

/// How many versions a managed policy has. It is told by the number of the one in force, the newest, and by how many there may be:
/// what somebody has deleted of them by hand, or put in force again, nothing shows without one more call for every plan. `None`
/// where the number is not known.
fn versions(policy: &Step) -> Option<usize> {
    let newest = policy.live.as_ref()?.attributes.get("DefaultVersionId")?.as_str()?;
    let number: usize = newest.strip_prefix('v')?.parse().ok()?;
    Some(number.clamp(1, managed_policy::VERSIONS))
}

/// The group that the identifier of an `AWS::IAM::UserToGroupAddition` names, and its users.
fn members_in(id: &PhysicalId) -> Option<(&str, impl Iterator<Item = &str>)> {
    let mut parts = id.as_str().split('|');
    Some((parts.next()?, parts))
}

/// Each holder that the identifier of an `AWS::IAM::Policy` names.
fn named_in(id: &PhysicalId) -> impl Iterator<Item = (&'static Holder, &str)> {
    let holder = |part| HOLDERS.into_iter().find_map(|it| Some((it, str::strip_prefix(part, it.prefix)?)));
    id.as_str().split('|').skip(1).filter_map(holder)
}

/// The inline policies that other resources of the stack put on a role, a user or a group are read with it.
pub fn put_there_by_others(plan: &Plan, resource_type: &str, id: &PhysicalId) -> Vec<&'static str> {
    let Some(holder) = HOLDERS.into_iter().find(|it| it.resource_type == resource_type) else { return Vec::new() };
    let is_on_it = |step: &&Step| {
        let Some(live) = &step.live else { return false };
        match step.resource_type.as_str() {
            "AWS::IAM::Policy" => texts(&live.properties[holder.several]).any(|name| name == id.as_str()),
            other => other == holder.policy_type && live.properties[holder.one].as_str() == Some(id.as_str()),
        }
    };
    times(plan.steps.iter().filter(is_on_it).count(), holder.get_policy)
}

/// What earlier deletions have taken off roles, users and groups: it is taken off once, and both sides show it. By the call that
/// takes it off, the holder and the policy or member.
#[derive(Default)]
pub struct TakenOff(BTreeSet<(&'static str, String, String)>);

impl TakenOff {
    /// The call, once for each pair whether it is still there or not.
    fn all<'a>(
        &mut self,
        call: &'static str,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Vec<&'static str> {
        let taken = pairs.into_iter().map(|pair| self.take(call, pair));
        times(taken.count(), call)
    }

    /// The call, once for each pair that is still there.
    fn each<'a>(
        &mut self,
        call: &'static str,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Vec<&'static str> {
        let taken = pairs.into_iter().filter(|pair| self.take(call, *pair));
        times(taken.count(), call)
    }

    /// Whether it was still there.
    fn take(&mut self, call: &'static str, (holder, what): (&str, &str)) -> bool {
        self.0.insert((call, holder.to_owned(), what.to_owned()))
    }
}

/// The names of the inline policies that a role, a user or a group shows.
pub fn inline(holder: &Value) -> impl Iterator<Item = &str> {
    holder["Policies"].as_array().into_iter().flatten().filter_map(|policy| policy["PolicyName"].as_str())
}

/// The ARNs of the managed policies that it shows.
fn attached(holder: &Value) -> impl Iterator<Item = &str> {
    texts(&holder["ManagedPolicyArns"])
}

fn set<'a>(items: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    items.collect()
}

/// How many were there and will not be.
fn lost<'a>(was: impl Iterator<Item = &'a str>, will_be: impl Iterator<Item = &'a str>) -> usize {
    set(was).difference(&set(will_be)).count()
}
