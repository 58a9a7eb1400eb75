"""The fixed ids of the sandbox. The example connection repeats them; nothing else may.

None of them is a secret: they open only the sandbox. A connection that has SIGNING_KEY believes
everybody who can read this file, so only one to the sandbox may have it.
"""

from __future__ import annotations

from typing import Final

from app.sandbox.config import ImsClient, Inlet, SandboxConfig, Workspace

TENANT: Final = "sluicesandbox"
ORG_ID: Final = "SANDBOX@AdobeOrg"
SANDBOX_NAME: Final = "prod"
# SHA-256 of "sandbox-inlet": an inlet id is 64 hex characters (platform.md section 1.7).
INLET_ID: Final = "19a198259d7629d03375ea7f12f23424c9fc76aa5c134f7651f122c0c42a969f"
DATASET_ID: Final = "5f00000000000000000000d5"
SCHEMA_ID: Final = "https://ns.adobe.com/sluicesandbox/schemas/customerio-events"
SCHEMA_CONTENT_TYPE: Final = "application/vnd.adobe.xed-full+json;version=1"
# The file under config/schemas that the schema id stands for.
SCHEMA_DOCUMENT: Final = "customerio-events"
FLOW_ID: Final = "00000000-0000-4000-8000-0000000000f1"

IMS_CLIENT_ID: Final = "sandbox-client"
IMS_CLIENT_SECRET: Final = "sandbox-secret"  # opens only the sandbox
# platform.md section 3: the scopes that Platform wants.
IMS_SCOPES: Final = (
    "openid",
    "AdobeID",
    "read_organizations",
    "additional_info.projectedProductContext",
    "session",
)

WORKSPACE: Final = "sandbox"
APP_KEY: Final = "sandbox-app-key"  # opens only the sandbox
# SHA-256 of "sandbox-signing-key": published ones are 64 hex characters (customerio.md section 8).
SIGNING_KEY: Final = "ea34ff12a4ad23d87d70758dbe292f8e347bafe06dea5d865dbe3e88ea3e776f"


def default_inlet() -> Inlet:
    """The inlet of the example connection: XDM messages, open to anybody who knows its id."""
    return Inlet(
        id=INLET_ID,
        org_id=ORG_ID,
        dataset_id=DATASET_ID,
        schema_id=SCHEMA_ID,
        schema_content_type=SCHEMA_CONTENT_TYPE,
        flow_id=FLOW_ID,
    )


def default_ims_client() -> ImsClient:
    return ImsClient(IMS_CLIENT_ID, (IMS_CLIENT_SECRET,), ORG_ID, IMS_SCOPES)


def default_workspace() -> Workspace:
    return Workspace(WORKSPACE, (APP_KEY,), SIGNING_KEY)


def default_config() -> SandboxConfig:
    return SandboxConfig(
        inlets=(default_inlet(),),
        ims_clients=(default_ims_client(),),
        workspaces=(default_workspace(),),
        tenant=TENANT,
    )
