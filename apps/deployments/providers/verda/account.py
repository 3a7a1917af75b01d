"""The account: its balance, and what it keeps for deployments and machines."""

from __future__ import annotations

from apps.deployments.providers.verda import answers, rules
from apps.deployments.providers.verda.calls import Calls
from apps.deployments.providers.verda.errors import InvalidRequest
from apps.deployments.providers.verda.types import (
    Balance,
    RegistryCredential,
    Secret,
    SshKey,
    StartupScript,
)


class Account(Calls):
    """All raise `VerdaError`. What is found by name need not be unique: the first is taken."""

    def balance(self) -> Balance:
        return self._get("balance").read(answers.balance)

    def create_secret(self, name: str, value: str) -> None:
        """Keeps `value` under `name`, for environment variables. One that exists raises `Conflict`."""
        if not value:
            raise InvalidRequest("A secret needs a value.")
        body = {"name": rules.check_segment(name), "value": value}
        self._call("POST", "secrets", json=body, secrets=(value,))

    def delete_secret(self, name: str, *, force: bool = False) -> None:
        """None of it is no error. With `force` also while a deployment uses it."""
        self._delete("secrets", name, params={"force": "true" if force else "false"})

    def list_secrets(self) -> list[Secret]:
        return self._get("secrets").read(answers.many(answers.secret, "secrets"))

    def find_secret(self, name: str) -> Secret | None:
        return next((secret for secret in self.list_secrets() if secret.name == name), None)

    def list_registry_credentials(self) -> list[RegistryCredential]:
        answer = self._get("container-registry-credentials")
        return answer.read(answers.many(answers.registry_credential, "registry credentials"))

    def create_ssh_key(self, name: str, public_key: str) -> str:
        """The id of the new key."""
        return self._create("sshkeys", json={"name": name, "key": public_key})

    def list_ssh_keys(self) -> list[SshKey]:
        return self._get("sshkeys").read(answers.many(answers.ssh_key, "SSH keys"))

    def find_ssh_key(self, name: str) -> SshKey | None:
        return next((key for key in self.list_ssh_keys() if key.name == name), None)

    def create_startup_script(self, name: str, script: str) -> str:
        """The id of the new script, which machines run at their first start."""
        return self._create("scripts", json={"name": name, "script": script}, secrets=(script,))

    def list_startup_scripts(self) -> list[StartupScript]:
        return self._get("scripts").read(answers.many(answers.startup_script, "startup scripts"))

    def find_startup_script(self, name: str) -> StartupScript | None:
        return next((script for script in self.list_startup_scripts() if script.name == name), None)

    def delete_startup_script(self, script_id: str) -> None:
        """None of it is no error."""
        self._delete("scripts", script_id)
