//! Login by `PASS NAME:PASSWORD`, for clients without SASL. The check is that of SASL; the replies are those that such
//! clients know.

use super::{Checked, LoginMachine, Step, WRONG};
use crate::core::request::sasl::Credentials;
use crate::wire::Reply;
use crate::wire::numeric::ERR_PASSWDMISMATCH;

impl LoginMachine {
    /// Logs in with the credentials of PASS.
    pub(super) fn pass(&mut self, text: &str, out: &mut String) -> Step {
        let Some(credentials) = Credentials::from_pass(text) else {
            let text = "The server password is NAME:PASSWORD here, with the name of your account, a colon and its \
                        password; or set up SASL PLAIN in your client";
            self.say(out, &Reply::numeric(ERR_PASSWDMISMATCH).text(text));
            return Step::Close(text.to_owned());
        };
        self.checks_pass = true;
        Step::Check(credentials)
    }

    pub(super) fn pass_checked(&mut self, outcome: Checked, out: &mut String) -> Step {
        let why = match outcome {
            Checked::Right(verified) => {
                self.logged_in(verified, out);
                return self.finish(out);
            }
            Checked::Wrong => WRONG.to_owned(),
            Checked::Later(why) | Checked::Unproven(why) => why,
        };
        self.say(out, &Reply::numeric(ERR_PASSWDMISMATCH).text(&why));
        Step::Close(why)
    }
}
