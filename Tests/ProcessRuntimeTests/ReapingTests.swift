import EnvironmentGraph
import Foundation
import Glibc
import TestSupport
import Testing

@testable import ProcessRuntime

/// What has ended and was not waited for yet still has its pid.
struct ReapingTests {
    @Test func aRecordedProcessIsWaitedForUntilItsPidIsFree() async throws {
        try await withTemporaryFolder { root in
            let folder = EnvironmentFolder(root: root, environment: EnvironmentID(rawValue: "env-a"))
            try folder.create()
            let mark = ProcessMark(folder: folder)
            let clock = ContinuousClock()
            #expect(await clock.measure { await mark.untilReaped(within: .seconds(60)) } < .seconds(30))

            var pid: pid_t = 0
            var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
            defer { free(arguments[0]) }
            try #require(posix_spawn(&pid, "/bin/true", nil, nil, &arguments, nil) == 0)
            LeaderFile(path: folder.leaders).append(try #require(DetachedProcess(running: pid)))
            try await eventually("its end") { ProcessTable.entry(pid)?.isZombie == true ? true : nil }
            // Nobody waits for it: the limit holds.
            let limit = Duration.milliseconds(60)
            #expect(await clock.measure { await mark.untilReaped(within: limit) } >= limit)

            async let waiting = clock.measure { await mark.untilReaped(within: .seconds(60)) }
            var status: Int32 = 0
            #expect(waitpid(pid, &status, 0) == pid)
            #expect(await waiting < .seconds(30))
        }
    }
}
