//! A business that both of its owners would leave behind.

use super::{TRACKS, happened, on_tracks, rounds};
use futures::future::join;
use serde_json::{Value, json};
use soko_tests::checkers::check_everything;
use soko_tests::{Answer, Person, Soko, text};

/// A tenant and its two owners.
struct Pair {
    members: String,
    one: Person,
    other: Person,
}

#[tokio::test]
async fn one_owner_stays_whoever_leaves_and_whoever_is_made_less() {
    let soko = Soko::start().await;
    let mut pairs = Vec::new();
    for _ in 0..TRACKS {
        pairs.push(Pair::of(&soko).await);
    }
    on_tracks(pairs, |number, pair| async move {
        let (of_one, of_other) = (pair.path_of(&pair.one), pair.path_of(&pair.other));
        let (mut one, mut other) = (pair.one.clone(), pair.other.clone());
        let (first, second) = match number % 3 {
            // One leaves while the other steps back.
            0 => join(one.delete(&of_one), demote(&mut other, &of_other)).await,
            // Both leave.
            1 => join(one.delete(&of_one), other.delete(&of_other)).await,
            // Each makes less of the other.
            _ => join(one.delete(&of_other), demote(&mut other, &of_one)).await,
        };
        let owners = pair.owners().await;
        assert_eq!(owners.len(), 1, "{owners:?}");
        let (winner, loser) = if first.status < 300 {
            (first, second)
        } else {
            (second, first)
        };
        winner.ok();
        match loser.status {
            // They had to ask as somebody who had just lost their say.
            403 => _ = loser.expect_problem(403, "forbidden"),
            404 => _ = loser.expect_problem(404, "not-found"),
            _ => _ = loser.expect_problem(409, "state-conflict"),
        }
        pair.restored(&owners[0]).await
    })
    .await;
    let gone = happened(&soko, "tenant.member_removed").await;
    assert!((1..=rounds()).contains(&gone), "{gone}");
    check_everything(&soko).await;
}

impl Pair {
    async fn of(soko: &Soko) -> Self {
        let (mut one, other) = (soko.person("one").await, soko.person("other").await);
        let tenant = one.post("/tenants", json!({ "name": "Maduka" })).await;
        let members = format!(
            "/tenants/{}/members",
            text(&tenant.expect(201)["tenant_id"])
        );
        let owner = json!({ "email": other.email, "role": "owner" });
        one.post(&members, owner).await.ok();
        Self {
            members,
            one,
            other,
        }
    }

    fn path_of(&self, person: &Person) -> String {
        format!("{}/{}", self.members, person.account_id.clone().unwrap())
    }

    /// As whoever may still look sees them.
    async fn owners(&self) -> Vec<String> {
        for person in [&self.one, &self.other] {
            let seen = person.get(&self.members).await;
            if seen.status == 200 {
                let members = seen.body["items"].as_array().unwrap().clone();
                let owners = members.iter().filter(|member| member["role"] == "owner");
                return owners.map(|owner| text(&owner["account_id"])).collect();
            }
        }
        panic!("nobody is left who may look");
    }

    /// The one who is left has the other beside them again.
    async fn restored(self, owner: &str) -> Self {
        let is_one = self.one.account_id.as_deref() == Some(owner);
        let (owner, gone) = if is_one {
            (&self.one, &self.other)
        } else {
            (&self.other, &self.one)
        };
        let mut owner = owner.clone();
        let promoted = owner.patch(&self.path_of(gone), role("owner")).await;
        if promoted.status >= 300 {
            let body = json!({ "email": gone.email, "role": "owner" });
            owner.post(&self.members, body).await.ok();
        }
        assert_eq!(self.owners().await.len(), 2);
        self
    }
}

async fn demote(by: &mut Person, member: &str) -> Answer {
    by.patch(member, role("admin")).await
}

fn role(role: &str) -> Value {
    json!({ "role": role })
}
