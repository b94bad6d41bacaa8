"""The few words of DynamoDB's protocol that the drill itself speaks to its stand-ins."""

TARGET = "DynamoDB_20120810"
"""The API's version, which every request names before its operation."""


def signature(region: str) -> dict[str, str]:
    """Headers from which a stand-in learns the region; it checks no signature."""
    scope = f"drill/20251020/{region}/dynamodb/aws4_request"
    authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    return {"content-type": "application/x-amz-json-1.0", "authorization": authorization}
