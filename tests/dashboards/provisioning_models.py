"""Grafana's provisioning files as its documentation describes them (11.6, "Provision Grafana").

A key that is not listed there would be passed over by Grafana without a word, so here it is an error.
"""

# ruff: noqa: N815 - the names are Grafana's

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Documented(BaseModel):
    model_config = ConfigDict(extra="forbid")


class InfluxSettings(_Documented):
    """`jsonData` of an InfluxDB data source in InfluxQL mode."""

    version: Literal["InfluxQL"]
    dbName: str
    httpMode: Literal["GET", "POST"]
    timeInterval: str
    httpHeaderName1: str | None = None


class InfluxSecrets(_Documented):
    httpHeaderValue1: str | None = None
    basicAuthPassword: str | None = None


class DataSource(_Documented):
    name: str
    uid: str
    type: Literal["influxdb"]
    access: Literal["proxy"]
    url: str
    database: str
    basicAuth: bool = False
    basicAuthUser: str | None = None
    jsonData: InfluxSettings
    secureJsonData: InfluxSecrets
    editable: bool = False


class DataSources(_Documented):
    apiVersion: Literal[1]
    datasources: list[DataSource]


class ProviderOptions(_Documented):
    path: str
    foldersFromFilesStructure: bool = False


class Provider(_Documented):
    name: str
    folder: str
    folderUid: str | None = None
    type: Literal["file"]
    disableDeletion: bool = False
    updateIntervalSeconds: int = 10
    allowUiUpdates: bool = False
    options: ProviderOptions


class Providers(_Documented):
    apiVersion: Literal[1]
    providers: list[Provider]


class AlertQuery(_Documented):
    refId: str
    datasourceUid: str
    relativeTimeRange: dict[Literal["from", "to"], int] | None = None
    queryType: str = ""
    model: dict[str, Any]


class AlertRule(_Documented):
    """`for` is a word of Python's, hence the alias."""

    uid: str
    title: str
    condition: str
    data: list[AlertQuery]
    pending: Annotated[str, Field(alias="for")]
    noDataState: Literal["NoData", "Alerting", "OK"]
    execErrState: Literal["Error", "Alerting", "OK"]
    annotations: dict[str, str]
    labels: dict[str, str]
    isPaused: bool = False
    dashboardUid: str | None = None
    panelId: int | None = None


class AlertGroup(_Documented):
    orgId: int
    name: str
    folder: str
    interval: str
    rules: list[AlertRule]


class AlertFile(_Documented):
    apiVersion: Literal[1]
    groups: list[AlertGroup]


class EmailSettings(_Documented):
    addresses: str
    singleEmail: bool = False
    subject: str | None = None
    message: str | None = None


class Receiver(_Documented):
    uid: str
    type: Literal["email"]
    settings: EmailSettings
    disableResolveMessage: bool = False


class ContactPoint(_Documented):
    orgId: int
    name: str
    receivers: list[Receiver]


class Policy(_Documented):
    orgId: int
    receiver: str
    group_by: list[str]
    group_wait: str
    group_interval: str
    repeat_interval: str


class NotificationFile(_Documented):
    apiVersion: Literal[1]
    contactPoints: list[ContactPoint]
    policies: list[Policy]
