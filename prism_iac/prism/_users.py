"""Users of a Prism (prism-rest.md section 2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from prism_iac.prism._errors import NotFound, Rejected
from prism_iac.prism._routes import Routes
from prism_iac.prism.records import UserRecord

__all__ = ["Users"]


@dataclass(frozen=True, slots=True)
class Users:
    """The users' service."""

    routes: Routes

    def register(
        self, *, email: str, username: str, password: str, first_name: str, last_name: str
    ) -> UserRecord:
        """Make an account; anybody may (U1).

        Args:
            email: Unique; the name to log in with.
            username: Unique.
            password: At least eight characters.
            first_name: Of the person.
            last_name: Of the person.

        Raises:
            AlreadyExists: The email address or the user name is taken.
            Rejected: A value is not accepted.
        """
        body = {
            "email": email,
            "first_name": first_name,
            "last_name": last_name,
            "credentials": {"username": username, "secret": password},
        }
        call = self.routes.call("POST", body=body).creating().hiding(password)
        return self.routes.api.fetch(replace(call, authenticated=False), UserRecord.parse)

    def profile(self) -> UserRecord:
        """The user that this client calls as."""
        return self.routes.get(UserRecord.parse, "profile")

    def get(self, user_id: str) -> UserRecord:
        """A user by id.

        Raises:
            NotFound: There is none.
        """
        return self.routes.get(UserRecord.parse, user_id)

    def list(self, *, email: str | None = None, username: str | None = None) -> Iterator[UserRecord]:
        """The users that this user may see (U4).

        Args:
            email: Asks for those with this address; a Prism that does not know the filter gives all.
            username: Asks for those with this name, likewise.
        """
        return self.routes.pages(
            "users",
            UserRecord.parse,
            query={"email": email, "username": username},
            identity=lambda user: user.id,
        )

    def find_by_email(self, email: str) -> UserRecord | None:
        """The user with an email address, in any case; None when there is none."""
        wanted = email.lower()
        return next((user for user in self.list(email=email) if user.email.lower() == wanted), None)

    def find_by_username(self, username: str) -> UserRecord | None:
        """The user with a user name; None when there is none."""
        return next((user for user in self.list(username=username) if user.username == username), None)

    def find(self, user: str) -> UserRecord | None:
        """The user with an email address, a user name or an id; None when there is none."""
        if "@" in user:
            return self.find_by_email(user)
        found = self.find_by_username(user)
        if found is not None:
            return found
        try:
            return self.get(user)
        except (NotFound, Rejected):
            return None
