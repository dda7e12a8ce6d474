//! Login by `PASS NAME:PASSWORD`, for clients without SASL. The check is that of SASL; the replies are those that such
//! clients know.

use super::reply_finishing::Replies;
use super::{LoginMachine, LoginStep, Verification, WRONG_CREDENTIALS};
use crate::core::request::sasl::Credentials;
use crate::wire::Reply;
use crate::wire::numeric::ERR_PASSWDMISMATCH;

impl LoginMachine {
    /// Logs in with the credentials of PASS.
    pub(super) fn login_with_pass(&mut self, text: &str, out: &mut Replies) -> LoginStep {
        let Some(credentials) = Credentials::from_pass(text) else {
            let text = "The server password is NAME:PASSWORD here, with the name of your account, a colon and its \
                        password; or set up SASL PLAIN in your client";
            self.push_reply(out, Reply::numeric(ERR_PASSWDMISMATCH).text(text));
            return LoginStep::Close(text.to_owned());
        };
        self.checking_pass = true;
        LoginStep::CheckPassword(credentials)
    }

    pub(super) fn finish_pass(&mut self, outcome: Verification, out: &mut Replies) -> LoginStep {
        let reason = match outcome {
            Verification::Verified(verified) => {
                self.set_verified(verified, out);
                return self.try_complete(out);
            }
            Verification::WrongCredentials => WRONG_CREDENTIALS.to_owned(),
            Verification::Unavailable(why) | Verification::NoDevice(why) => why,
        };
        self.push_reply(out, Reply::numeric(ERR_PASSWDMISMATCH).text(&reason));
        LoginStep::Close(reason)
    }
}
