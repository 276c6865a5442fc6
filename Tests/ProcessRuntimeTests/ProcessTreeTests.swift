import Blueprints
import EnvironmentGraph
import Foundation
import Glibc
import Runtimes
import Testing
import TestSupport

@testable import ProcessRuntime

/// Nothing that a service started stays behind.
struct ProcessTreeTests {
    /// Writes the pids of: a child in a session of its own, a daemon that was forked twice, and one without environment.
    private static let escaping = """
        setsid sh -c 'echo $$ > $PIDS.1; exec sleep 600' &
        (setsid sh -c 'echo $$ > $PIDS.2; exec sleep 600' &)
        (env -i PIDS=$PIDS setsid sh -c 'echo $$ > $PIDS.3; exec sleep 600' &)
        while [ ! -s $PIDS.1 ] || [ ! -s $PIDS.2 ] || [ ! -s $PIDS.3 ]; do sleep 0.01; done
        echo all there
        """

    private func escapees(_ stage: Stage) async throws -> [Int32] {
        try await eventually("three pids") {
            let pids = (1...3).compactMap { number in
                SmallFile.text("\(stage.root)/pids.\(number)").flatMap { Int32($0.filter(\.isNumber)) }
            }
            return pids.count == 3 ? pids : nil
        }
    }

    @Test(.timeLimit(.minutes(1))) func stopEndsWhatLeftItsSession() async throws {
        try await Stage.with { stage in
            var workload = stage.shell(Self.escaping + "\nexec sleep 600")
            workload.env = ["PIDS": stage.root + "/pids"]
            try await stage.runtime.apply(workload)
            let pids = try await escapees(stage)
            #expect(pids.allSatisfy(SurvivalTests.isAlive))
            try await stage.runtime.stop("main", of: stage.environment)
            #expect(!pids.contains(where: SurvivalTests.isAlive))
        }
    }

    /// Neither parent nor mark nor pipe tells whose it is.
    private static let hidden = """
        env -i PIDS=$PIDS setsid sh -c 'echo $$ > $PIDS.hidden; exec sleep 600' > /dev/null 2>&1 &
        while [ ! -s $PIDS.hidden ]; do sleep 0.01; done
        """

    @Test(.timeLimit(.minutes(1)), arguments: ["stop", "crash"])
    func evenWithoutAnyTraceNothingStays(_ how: String) async throws {
        try await Stage.with { stage in
            if how == "stop" { try await stage.runtime.apply(stage.shell("exec sleep 600", service: "other")) }
            var workload = stage.shell(Self.hidden + (how == "stop" ? "\nexec sleep 600" : "\nexit 1"))
            workload.env = ["PIDS": stage.root + "/pids"]
            workload.restart = .never
            try await stage.runtime.apply(workload)
            let pid = try await eventually("its pid") {
                SmallFile.text("\(stage.root)/pids.hidden").flatMap { Int32($0.filter(\.isNumber)) }
            }
            if how == "stop" {
                #expect(SurvivalTests.isAlive(pid))
                let other = try await stage.reaches(.ready, service: "other")
                try await stage.runtime.stop("main", of: stage.environment)
                #expect(try await stage.reaches(.ready, service: "other") == other)
            } else {
                try await stage.reaches(.failed)
            }
            #expect(!SurvivalTests.isAlive(pid))
        }
    }

    @Test(.timeLimit(.minutes(1))) func aCrashEndsThemBeforeTheNextStart() async throws {
        try await Stage.with { stage in
            var workload = stage.shell(Self.escaping + "\nexit 1")
            workload.env = ["PIDS": stage.root + "/pids"]
            workload.restart = .never
            try await stage.runtime.apply(workload)
            try await stage.reaches(.failed)
            let pids = try await escapees(stage)
            #expect(!pids.contains(where: SurvivalTests.isAlive))
        }
    }

    @Test(.timeLimit(.minutes(1))) func deleteEndsThemWithoutTheirSupervisorToo() async throws {
        try await Stage.with { stage in
            var workload = stage.shell(Self.escaping + "\nexec sleep 600")
            workload.env = ["PIDS": stage.root + "/pids"]
            try await stage.runtime.apply(workload)
            let pids = try await escapees(stage)
            kill(try stage.supervisorPid(), SIGKILL)
            try await stage.runtime.delete(stage.environment)
            // The third has no mark and no supervisor that knows it: that one is beyond reach.
            #expect(!pids[..<2].contains(where: SurvivalTests.isAlive))
            kill(pids[2], SIGKILL)
        }
    }

    @Test(.timeLimit(.minutes(1))) func deleteRemovesReadOnlyFoldersAndLeavesLinkTargets() async throws {
        try await Stage.with { stage in
            let outside = stage.root + "/outside"
            try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
            try Data("kept".utf8).write(to: URL(fileURLWithPath: outside + "/file"))
            var workload = stage.shell(
                "cd $VOLUME_DATA; mkdir a; echo x > a/b; chmod 0 a; ln -s \(outside) link; echo done; exec sleep 600")
            workload.volumes = [Workload.Volume(name: "data", kind: .pvc, mountPath: "/data")]
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready)
            try await eventually("its output") { try await stage.lines().contains { $0.text == "done" } ? true : nil }
            let path = try #require(stage.runtime.volumePath("data", of: "main", in: stage.environment))
            #expect(FileManager.default.fileExists(atPath: path + "/link"))
            try await stage.runtime.delete(stage.environment)
            #expect(!FileManager.default.fileExists(atPath: stage.folder))
            #expect(FileManager.default.fileExists(atPath: outside + "/file"))
        }
    }
}
