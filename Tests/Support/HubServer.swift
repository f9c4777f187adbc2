/// A hub on loopback.
public struct HubServer {}
