import EnvironmentGraph
import Glibc
import HTTPTransport
import Runtimes

extension ProcessRuntime {
    package func irregularities(
        of environment: EnvironmentID, volumes: [VolumeName]
    ) async throws -> [Irregularity] {
        let folder = try folder(environment)
        var found = await OffPool.run {
            volumes.compactMap { Self.missing($0, in: folder) }
        }
        guard finder.living(folder) == nil else {
            return found + (try await withSupervisor(folder, repeatable: true) { try await $0.irregularities() })
        }
        do {
            _ = try DesiredState.load(folder.workloads)
        } catch {
            found.append(Irregularity(.fileChanged, message: "\(error)"))
        }
        return found
    }

    private static func missing(_ volume: VolumeName, in folder: EnvironmentFolder) -> Irregularity? {
        let path = folder.volume(volume.name, of: volume.service)
        var status = stat()
        guard stat(path, &status) != 0, errno == ENOENT || errno == ENOTDIR else { return nil }
        return Irregularity(
            .volumeMissing, service: volume.service, volume: volume.name,
            message: "the volume \(volume.name) of \(volume.service) is gone: there is no \(path)")
    }

    package func restoreFiles(of environment: EnvironmentID) async throws {
        let folder = try folder(environment)
        if finder.living(folder) != nil {
            return try await withSupervisor(folder, repeatable: true) { try await $0.rewrite() }
        }
        do {
            _ = try DesiredState.load(folder.workloads)
        } catch {
            let aside = folder.workloads + ".damaged"
            guard rename(folder.workloads, aside) == 0 else { throw SmallFile.failure("put aside", folder.workloads) }
        }
    }
}
