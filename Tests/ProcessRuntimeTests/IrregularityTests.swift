import Blueprints
import Foundation
import Glibc
import ProcessRuntime
import Runtimes
import Testing
import TestSupport

/// What somebody else does to the folder of an environment.
@Suite struct IrregularityTests {
    @Test func aVolumeThatGoesUnderARunningServiceIsNotReplacedByAnEmptyOne() async throws {
        try await Stage.with { stage in
            var workload = stage.shell("touch $VOLUME_DATA/mine; exec sleep 600")
            workload.volumes = [Workload.Volume(name: "data", kind: .pvc, mountPath: "/data")]
            try await stage.runtime.apply(workload)
            let first = try await stage.reaches(.ready)
            let volumes = [VolumeName(service: "main", name: "data")]
            #expect(try await stage.runtime.irregularities(of: stage.environment, volumes: volumes).isEmpty)
            let path = stage.folder + "/volumes/main/data"
            try FileManager.default.removeItem(atPath: path)
            let found = try await stage.runtime.irregularities(of: stage.environment, volumes: volumes)
            #expect(found.map(\.kind) == [.volumeMissing])
            // Neither the restart by its policy nor another supervisor makes an empty one.
            kill(try #require(first.pid), SIGKILL)
            try await stage.reaches(.restarting)
            kill(try stage.supervisorPid(), SIGKILL)
            let status = try await stage.reaches(.failed, .restarting)
            #expect(status.message?.contains("the volume data and the data in it are gone") == true)
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func aChangedOrRemovedFileIsToldAndWrittenAgain() async throws {
        try await Stage.with { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            let first = try await stage.reaches(.ready)
            let path = stage.folder + "/workloads.json"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            for damage in [text.replacing("sleep 600", with: "sleep 601"), "{", nil] {
                if let damage {
                    try damage.write(toFile: path, atomically: true, encoding: .utf8)
                } else {
                    try FileManager.default.removeItem(atPath: path)
                }
                let found = try await stage.runtime.irregularities(of: stage.environment, volumes: [])
                #expect(found.map(\.kind) == [.fileChanged])
                try await stage.runtime.restoreFiles(of: stage.environment)
                #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
                #expect(try await stage.runtime.irregularities(of: stage.environment, volumes: []).isEmpty)
            }
            #expect(try await stage.runtime.observe(stage.environment) == [first])
        }
    }

    @Test func whatNobodyCanReadIsPutAside() async throws {
        try await Stage.with { stage in
            let workload = stage.shell("exec sleep 600")
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready)
            let supervisor = try stage.supervisorPid()
            try "{".write(toFile: stage.folder + "/workloads.json", atomically: true, encoding: .utf8)
            kill(supervisor, SIGKILL)
            try await eventually("its end") { kill(supervisor, 0) != 0 ? true : nil }
            let found = try await stage.runtime.irregularities(of: stage.environment, volumes: [])
            #expect(found.map(\.kind) == [.fileChanged])
            try await stage.runtime.restoreFiles(of: stage.environment)
            #expect(try await stage.runtime.irregularities(of: stage.environment, volumes: []).isEmpty)
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready)
            #expect(FileManager.default.fileExists(atPath: stage.folder + "/workloads.json.damaged"))
        }
    }
}
