"""Console passwords: one that must be changed is kept as such, and ChangePassword changes the caller's.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_ChangePassword.html

moto forgets at CreateLoginProfile that the password must be changed, and does not know the operation that does it.
"""

from typing import Any

from trailstate.estate.child.credentials import Credentials
from trailstate.estate.child.sources import replace


def keep_passwords(credentials: Credentials) -> None:
    """From here on passwords are as their owners left them."""
    from moto.iam import responses

    answering: Any = responses.IamResponse
    create = answering.create_login_profile

    def create_login_profile(self: Any) -> Any:
        answer = create(self)
        user = self.backend.get_user(self._get_param("UserName"))
        user.password_reset_required = bool(self._get_bool_param("PasswordResetRequired", False))
        answer.result["LoginProfile"]["PasswordResetRequired"] = user.password_reset_required
        return answer

    def change_password(self: Any) -> Any:
        return _changed(self, credentials)

    replace(answering, "create_login_profile", create_login_profile)
    answering.change_password = change_password


def _changed(response: Any, credentials: Credentials) -> Any:
    from moto.core.responses import EmptyResult
    from moto.iam.exceptions import InvalidInput, NotFoundException

    caller = credentials.caller
    user = response.backend.users.get(caller.user_name) if caller is not None and caller.kind == "IAMUser" else None
    if user is None or user.password is None:
        raise NotFoundException("The caller is no user with a login profile.")
    if response._get_param("OldPassword") != user.password:  # noqa: SLF001
        raise InvalidInput("The old password was incorrect.")
    user.password, user.password_reset_required = response._get_param("NewPassword"), False  # noqa: SLF001
    return EmptyResult()
