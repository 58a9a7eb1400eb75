"""Text that Customer.io's bodies share, given to zstd so that even one event compresses well.

Frozen: changing a byte makes every frame in every Redis unreadable. A better dictionary needs a
new frame version in batch.py. The most common bodies stand last, where zstd finds them cheapest.
"""

from typing import Final

VERSION_1: Final = (
    b'{"data":{"content":"{\\"topics\\":{\\"topic_1\\":true}}","customer_id":"","email_address":"'
    b'@example.com","identifiers":{"cio_id":"","email":"@example.com","id":""}},"event_id":"01",'
    b'"metric":"cio_subscription_preferences_changed","object_type":"customer","timestamp":17}'
    b'"metric":"subscribed","metric":"unsubscribed","object_type":"customer"'
    b'"failure_message":"550 5.5.0 Requested action not taken: mailbox unavailable"'
    b'"failure_message":"NoDevicesSynced","HTTP 404 Not Found []","Twilio Error 21408: '
    b'"metric":"dropped","metric":"spammed","metric":"undeliverable","metric":"failed",'
    b'"metric":"attempted","metric":"deferred","metric":"replied","metric":"bounced"'
    b'"inbound_event_id":"","to":"+1","recipient":"+1555","recipient":"#general"'
    b'"newsletter_id":1,"content_id":1,"broadcast_id":1,"trigger_id":1,"parent_action_id":1,'
    b'"transactional_message_id":"1","tracked_response":"","machine":false,"prefetched":true,'
    b'"proxied":true,"synthetic":false,"headers":{"X-":["'
    b'"recipients":[{"device_id":"","device_platform":"android"},{"device_platform":"ios"}]'
    b'"object_type":"in_app","timestamp":17"object_type":"slack""object_type":"webhook"'
    b'"object_type":"whatsapp","timestamp":17"object_type":"sms","timestamp":17'
    b'"object_type":"push","timestamp":17"metric":"drafted""metric":"converted"'
    b'"href":"https://www.example.com/","link_id":1,"metric":"clicked","object_type":"email"'
    b'{"data":{"action_id":1,"broadcast_id":1,"customer_id":"","delivery_id":"RP","identifiers":{'
    b'"cio_id":"d9c10600","email":"@example.com","id":""},"journey_id":"01","parent_action_id":'
    b'{"data":{"action_id":1,"campaign_id":1,"customer_id":"","delivery_id":"RP","identifiers":{'
    b'"cio_id":"d9c10600","email":"@example.com","id":""},"journey_id":"01","recipient":"'
    b'@example.com","subject":"","trigger_event_id":"01"},"event_id":"01","metric":"opened",'
    b'"object_type":"email","timestamp":17"metric":"delivered","metric":"sent",'
    b'"object_type":"email","timestamp":17'
)
