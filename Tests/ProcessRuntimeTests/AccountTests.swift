import Blueprints
import EnvironmentGraph
import Foundation
import Glibc
import Runtimes
import Testing
import TestSupport

@testable import ProcessRuntime

/// Running as somebody else, which only root can.
struct AccountTests {
    @Test(.enabled(if: geteuid() == 0), .timeLimit(.minutes(1))) func rootRunsAServiceAsItsUser() async throws {
        try await Stage.with { stage in
            var workload = stage.shell("id -un; echo $HOME $USER; touch $VOLUME_DATA/mine; echo done; exec sleep 600")
            workload.user = "nobody"
            workload.volumes = [Workload.Volume(name: "data", kind: .pvc, mountPath: "/data")]
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready)
            let lines = try await eventually("its output") {
                let lines = try await stage.lines().filter { $0.stream == .stdout }.map(\.text)
                return lines.last == "done" ? lines : nil
            }
            #expect(lines.first == "nobody")
            #expect(lines.dropFirst().first?.hasSuffix(" nobody") == true)
            let path = try #require(stage.runtime.volumePath("data", of: "main", in: stage.environment))
            var status = stat()
            #expect(stat(path + "/mine", &status) == 0)
            #expect(status.st_uid == (try ServiceAccount.named("nobody")).uid)
        }
    }

    @Test(.enabled(if: geteuid() == 0), .timeLimit(.minutes(1))) func aFolderThatIsClosedToTheUserIsNamed() async throws
    {
        try await Stage.with { stage in
            let closed = stage.root + "/closed"
            try SmallFile.createFolder(closed, mode: 0o700)
            try SmallFile.createFolder(closed + "/work", mode: 0o755)
            var workload = stage.shell("exec sleep 600")
            workload.user = "nobody"
            workload.workdir = closed + "/work"
            try await stage.runtime.apply(workload)
            let status = try await stage.reaches(.failed)
            let text = "user nobody cannot enter \(closed)/work (workdir): \(closed) is closed to it"
            #expect(status.message == text)
        }
    }

    @Test(.enabled(if: geteuid() != 0), .timeLimit(.minutes(1))) func anyoneElseSaysSoInTheLog() async throws {
        try await Stage.with { stage in
            var workload = stage.shell("exec sleep 600")
            workload.user = "root"
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready)
            let events = try await stage.lines().filter { $0.stream == .event }.map(\.text)
            #expect(events.contains { $0.contains("not as root") })
        }
    }

    @Test func theWayToAFolderIsCheckedForItsUser() throws {
        let nobody = try ServiceAccount.named("nobody")
        #expect(nobody.firstClosedFolder(to: "/usr/bin") == nil)
        #expect(nobody.firstClosedFolder(to: "/proc/1/fd/x") == "/proc/1/fd")
    }
}
