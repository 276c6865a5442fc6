import Glibc
import Runtimes
import Testing
import TestSupport

@testable import ProcessRuntime

/// What a supervisor makes of what an earlier one left on disk.
struct TakingOverTests {
    /// Found by `make kill`: a supervisor was killed between storing the next generation and forgetting how the last one had
    /// ended, and the next supervisor took the new one for ended.
    @Test(.timeLimit(.minutes(1))) func howAnEarlierGenerationEndedSaysNothingOfThisOne() async throws {
        try await Stage.with { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600", generation: 2))
            try await stage.reaches(.ready, generation: 2)
            kill(try stage.supervisorPid(), SIGKILL)
            let path = stage.folder + "/workloads.json"
            var state = try #require(try DesiredState.load(path))
            state.entries[0].ended = WorkloadStatus(service: "main", generation: 1, state: .stopped)
            try SmallFile.write(try state.encoded(), to: path, durably: false)
            try await stage.reaches(.ready, generation: 2)
            state.entries[0].ended?.generation = 2
            try SmallFile.write(try state.encoded(), to: path, durably: false)
            #expect(try DesiredState.load(path)?.entries[0].ended?.state == .stopped)
        }
    }
}
