"""What a process is told by its environment: `SLUICE_*`, all optional, units in the names."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.settings.folders import Folders
from app.settings.home import default_config_dir, default_data_dir
from app.settings.parts.console import ConsoleSettings
from app.settings.parts.keeping import KeepingSettings
from app.settings.parts.local import LocalSettings
from app.settings.parts.receiver import ReceiverSettings
from app.settings.parts.redis import RedisSettings
from app.settings.parts.worker import WorkerSettings

PREFIX: Final = "SLUICE_"


# pydantic takes the fields of the last base first: faults are said in the order Redis to local.
class Settings(
    LocalSettings,
    ConsoleSettings,
    KeepingSettings,
    WorkerSettings,
    ReceiverSettings,
    RedisSettings,
    BaseSettings,
):
    """One process's settings. Made by `load_settings`, or by name in a test.

    Here is what every process has; `app.settings.parts` has the rest.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    config_dir: Path = Field(
        default_factory=default_config_dir,
        description="the folder with connections/, setups/, mappings/ and schemas/",
    )
    generated_dir: Path | None = Field(
        None,
        description="the folder for the connections/ and setups/ that `sluice connect` and the "
        "console write, where SLUICE_CONFIG_DIR is read-only; both are read; unset: that one",
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="where `sluice up` keeps its data, and workers the dead letters that are too "
        "many for Redis, and their archive",
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="json, console, or auto: console on a terminal, else json"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="the least severe level that is written"
    )

    @property
    def folders(self) -> Folders:
        """Where connections, setups and the documents that they name lie."""
        return Folders(self.config_dir, self.generated_dir)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed counts: the environment comes in through `load_settings`."""
        return (init_settings,)
