"""SMS by any provider with a simple HTTP interface: one data file describes each, and this module speaks it."""

from app.gateways.http_sms.description import Description, descriptions
from app.gateways.http_sms.gateway import HttpSmsGateway, gateway_classes
from app.gateways.http_sms.own import OwnHttpSmsGateway

__all__ = ["Description", "HttpSmsGateway", "OwnHttpSmsGateway", "descriptions", "gateway_classes"]
