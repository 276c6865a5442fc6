import Foundation
import Logging
import TestSupport
import Testing

@testable import ControlPlane

/// What systemd is told, against a socket that plays it.
@Suite struct ServiceManagerTests {
    @Test func linesArriveAtAPathInOneDatagram() async throws {
        try await withTemporaryFolder { folder in
            let inbox = try NotifyInbox(folder + "/notify")
            let manager = ServiceManager(variables: ["NOTIFY_SOCKET": inbox.address])
            #expect(manager.tell(["READY=1", "STATUS=two\nlines"]) == nil)
            #expect(inbox.messages == ["READY=1\nSTATUS=two lines"])
        }
    }

    @Test func linesArriveAtAnAbstractAddress() throws {
        let inbox = try NotifyInbox("@microstax-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))")
        let manager = ServiceManager(variables: ["NOTIFY_SOCKET": inbox.address])
        #expect(manager.tell(["WATCHDOG=1"]) == nil)
        #expect(inbox.messages == ["WATCHDOG=1"])
    }

    @Test(arguments: [nil, "", "/", "@", "vsock:2:1234", "relative", "/" + String(repeating: "x", count: 107)])
    func whereNobodyAskedNobodyIsTold(_ address: String?) {
        var variables = ["WATCHDOG_USEC": "1000000"]
        variables["NOTIFY_SOCKET"] = address
        let manager = ServiceManager(variables: variables)
        #expect(!manager.isPresent)
        #expect(manager.watchdog == nil)
        #expect(manager.tell(["READY=1"]) == nil)
    }

    @Test func aManagerThatIsGoneIsNoError() async throws {
        try await withTemporaryFolder { folder in
            let manager = ServiceManager(variables: ["NOTIFY_SOCKET": folder + "/gone"])
            #expect(manager.tell(["READY=1"]) == "No such file or directory")
        }
    }

    @Test func aManagerThatReadsNothingNeverBlocks() async throws {
        try await withTemporaryFolder { folder in
            let inbox = try NotifyInbox(folder + "/notify")
            let manager = ServiceManager(variables: ["NOTIFY_SOCKET": inbox.address])
            let start = ContinuousClock.now
            let refused = (0..<5_000).contains { _ in manager.tell(["WATCHDOG=1"]) != nil }
            #expect(refused)
            #expect(ContinuousClock.now - start < .seconds(10))
        }
    }

    @Test func theWatchdogIsForOneProcess() {
        func watchdog(_ variables: [String: String]) -> Duration? {
            ServiceManager(variables: variables.merging(["NOTIFY_SOCKET": "/n"]) { $1 }, pid: 7).watchdog
        }
        #expect(watchdog(["WATCHDOG_USEC": "30000000"]) == .seconds(30))
        #expect(watchdog(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"]) == .seconds(30))
        #expect(watchdog(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"]) == nil)
        #expect(watchdog(["WATCHDOG_USEC": "0"]) == nil)
        #expect(watchdog(["WATCHDOG_USEC": "soon"]) == nil)
        #expect(watchdog([:]) == nil)
    }

    // MARK: Over the server's life

    @Test func aServerThatAnswersIsReadyAliveAndStopping() async throws {
        try await withTemporaryFolder { folder in
            let inbox = try NotifyInbox(folder + "/notify")
            let vitals = Vitals([Vitals.Organ("store") {}], period: .milliseconds(10))
            let living = Task { await vitals.run() }
            let reporting = Task { await Self.reports(inbox, vitals).run() }
            try await eventually("three signs of life") { inbox.count(of: "WATCHDOG=1") >= 3 ? true : nil }
            for task in [reporting, living] {
                task.cancel()
                await task.value
            }
            let messages = inbox.messages
            #expect(messages.first == "READY=1\nMAINPID=7\nSTATUS=serves /home")
            #expect(messages.last?.hasPrefix("STOPPING=1\nSTATUS=stopping") == true)
        }
    }

    /// One that hangs is not alive, however well the others do.
    @Test func aPartThatHangsStopsTheSignsOfLifeUntilItAnswersAgain() async throws {
        try await withTemporaryFolder { folder in
            let inbox = try NotifyInbox(folder + "/notify")
            let (gate, opener) = AsyncStream.makeStream(of: Void.self)
            let asked = AsyncStream.makeStream(of: Void.self)
            let vitals = Vitals(
                [
                    Vitals.Organ("store") {},
                    Vitals.Organ("orchestrator") {
                        asked.continuation.yield()
                        for await _ in gate { return }
                    },
                ], period: .milliseconds(10))
            let living = Task { await vitals.run() }
            for await _ in asked.stream { break }
            // On a busy machine the other one is late now and then.
            try await eventually("the silence") {
                vitals.silent(for: .milliseconds(200)) == ["orchestrator"] ? true : nil
            }
            let reporting = Task { await Self.reports(inbox, vitals).run() }
            try await eventually("some periods") { inbox.lines.count { $0.hasPrefix("STATUS=") } >= 4 ? true : nil }
            #expect(inbox.count(of: "WATCHDOG=1") == 0)
            opener.yield()
            opener.finish()
            try await eventually("a sign of life") { inbox.count(of: "WATCHDOG=1") > 0 ? true : nil }
            for task in [reporting, living] {
                task.cancel()
                await task.value
            }
        }
    }

    private static func reports(_ inbox: NotifyInbox, _ vitals: Vitals) -> ManagerReports {
        ManagerReports(
            manager: ServiceManager(variables: ["NOTIFY_SOCKET": inbox.address, "WATCHDOG_USEC": "200000"]),
            vitals: vitals, missing: { [] }, place: "/home", pid: 7, log: Logger(label: "test"))
    }
}
