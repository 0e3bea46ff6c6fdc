//! Names and places that one person can have.

use super::{TRACKS, divided, happened, on_tracks, rounds};
use futures::future::{join, join_all};
use serde_json::json;
use soko_tests::checkers::check_everything;
use soko_tests::{Authenticator, Market, Soko, text};

const APPLICANTS: usize = 3;

/// How often the same invitation is accepted at once.
const ACCEPTED: usize = 4;

/// Rounds whose applicants log in afterwards: not all, for who guesses that often is slowed.
const LOOKED_AT: usize = 10;

#[tokio::test]
async fn an_e_mail_that_is_registered_at_once_belongs_to_one() {
    let soko = Soko::start().await;
    let before = happened(&soko, "account.registered").await;
    let guest = &soko.guest();
    on_tracks(vec![(); TRACKS], |number, ()| async move {
        // However it is written.
        let email = |applicant: usize| match applicant {
            0 => format!("round-{number}@soko.test"),
            _ => format!("Round-{number}@SOKO.test"),
        };
        let password = |applicant: usize| format!("a long enough password {applicant}");
        let applicants = (0..APPLICANTS).map(|applicant| {
            let body = json!({
                "email": email(applicant), "password": password(applicant), "name": "Amina",
            });
            let mut guest = guest.clone();
            async move { guest.post("/auth/register", body).await }
        });
        let answers = join_all(applicants).await;
        let winner = answers.iter().position(|answer| answer.status == 201);
        let (registered, refused) = divided(answers);
        assert_eq!(registered.len(), 1);
        for answer in refused {
            answer.expect_problem(409, "already-exists");
        }
        if number < LOOKED_AT {
            let winner = winner.unwrap();
            for applicant in [winner, (winner + 1) % APPLICANTS] {
                let body = json!({ "email": email(0), "password": password(applicant) });
                let answer = guest.clone().post("/auth/login", body).await;
                if applicant == winner {
                    answer.expect(200);
                } else {
                    answer.expect_problem(401, "unauthenticated");
                }
            }
        }
    })
    .await;
    assert_eq!(
        happened(&soko, "account.registered").await - before,
        rounds()
    );
    check_everything(&soko).await;
}

#[tokio::test]
async fn an_invitation_is_accepted_once_or_withdrawn() {
    let soko = Soko::start().await;
    let market = Market::open(&soko).await;
    let (vendor, thief) = (&market.vendor, &soko.person("thief").await);
    let members = &*format!("/vendors/{}/members", market.vendor_id);
    let invitations = &*format!("/vendors/{}/invitations", market.vendor_id);
    let people = join_all((0..TRACKS).map(|_| soko.person("invited"))).await;
    let tracks = people.into_iter().map(|invited| (invited, 0)).collect();
    let tracks = on_tracks(tracks, |number, (invited, joined)| async move {
        let mut vendor = vendor.clone();
        let body = json!({ "email": invited.email, "role": "viewer" });
        let invitation = vendor.post(members, body).await.expect(201);
        let accept = &*format!("/invitations/{}/accept", text(&invitation["token"]));
        let accepting = (0..ACCEPTED).map(|_| {
            let mut invited = invited.clone();
            async move { invited.post(accept, json!({})).await }
        });
        let withdrawing = async {
            let path = format!("{invitations}/{}", text(&invitation["invitation_id"]));
            match number % 2 {
                0 => None,
                _ => Some(vendor.clone().delete(&path).await),
            }
        };
        let stealing = async { thief.clone().post(accept, json!({})).await };
        let ((accepted, stolen), withdrawn) =
            join(join(join_all(accepting), stealing), withdrawing).await;
        stolen.expect_problem(404, "not-found");
        let (accepted, refused) = divided(accepted);
        let is_withdrawn = withdrawn.as_ref().is_some_and(|answer| answer.status < 300);
        // Who has joined is told so again.
        assert!(
            accepted
                .iter()
                .all(|answer| answer.body == accepted[0].body)
        );
        assert_eq!(accepted.len(), if is_withdrawn { 0 } else { ACCEPTED });
        for answer in refused {
            answer.expect_problem(404, "not-found");
        }
        let seen = invited.get(members).await;
        if is_withdrawn {
            seen.expect_problem(404, "not-found");
        } else {
            if let Some(late) = withdrawn {
                late.expect_problem(409, "state-conflict");
            }
            let member = format!("{members}/{}", invited.account_id.clone().unwrap());
            vendor.delete(&member).await.ok();
        }
        (invited, joined + usize::from(!is_withdrawn))
    })
    .await;
    let joined: usize = tracks.iter().map(|(_, joined)| joined).sum();
    assert_eq!(happened(&soko, "vendor.member_joined").await, joined);
    check_everything(&soko).await;
}

/// What only who knows the password can try; there is no wait between right codes.
const SHOWN: usize = 4;

/// One of them for each track: hashes take their time.
const OF_ROUNDS: usize = 10;

#[tokio::test]
async fn a_recovery_code_is_good_once() {
    let soko = Soko::start().await;
    let (soko, password) = (&soko, "a long enough password");
    let tracks = join_all((0..TRACKS).map(|_| soko.person("amina"))).await;
    on_tracks(tracks, |number, mut amina| async move {
        if number % OF_ROUNDS >= TRACKS {
            return amina;
        }
        let offer = json!({ "current_password": password });
        let offer = amina.post("/me/second-factor", offer).await.expect(200);
        let app = Authenticator::new(&text(&offer["secret"]));
        let code = json!({ "code": app.code(0) });
        let confirmed = amina.post("/me/second-factor/confirm", code).await;
        let codes = confirmed.expect(200)["recovery_codes"].clone();
        let showing = (0..SHOWN).map(|_| {
            let (mut amina, code) = (amina.clone(), json!({ "code": codes[0] }));
            async move { amina.post("/auth/step-up", code).await }
        });
        let (let_in, refused) = divided(join_all(showing).await);
        assert_eq!(let_in.len(), 1);
        for answer in refused {
            answer.expect_problem(422, "validation");
        }
        let remove = json!({ "current_password": password, "code": codes[1] });
        amina
            .post("/me/second-factor/remove", remove)
            .await
            .expect(204);
        amina
    })
    .await;
}
