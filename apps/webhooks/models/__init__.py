from apps.webhooks.models.deliveries import Attempt, Delivery, Event
from apps.webhooks.models.endpoints import Endpoint, EndpointSecret, Lane

__all__ = ["Attempt", "Delivery", "Endpoint", "EndpointSecret", "Event", "Lane"]
