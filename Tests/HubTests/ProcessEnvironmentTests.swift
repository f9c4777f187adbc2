import Glibc
import Testing

@testable import Files
@testable import Hub

@Suite struct ProcessEnvironmentTests {
  @Test func whatTheHubIsToKnow() {
    let environment = [
      "HF_HOME": "$SCRATCH/${SUB}/x", "SCRATCH": "/s", "SUB": "u", "HOME": "/h", "SECRET": "x", "HF_TOKEN": "t",
      "https_proxy": "p",
    ]
    var expected = environment
    expected["SECRET"] = nil
    #expect(HubEnvironment { environment[$0] }.variables == expected)
    #expect(HubEnvironment { _ in nil }.variables.isEmpty)
  }

  @Test func theHubOfTheProcess() {
    let hub = Hub.fromEnvironment
    #expect(hub.environment.variables == HubEnvironment(reading: environmentVariable).variables)
    #expect(hub.environment.variables["HOME"] == environmentVariable("HOME"))
    #expect(hub.isOffline == hub.environment.isOffline && Hub.offline.isOffline)
    #expect(Hub.offline.environment.cacheDirectory == hub.environment.cacheDirectory)
  }
}
