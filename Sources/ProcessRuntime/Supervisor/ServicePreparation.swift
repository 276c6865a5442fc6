import Blueprints
import Foundation
import Glibc
import Runtimes

/// Everything that must be in place before a process of a service can be started, each with its own complaint.
struct ServicePreparation: Sendable {
    let folder: EnvironmentFolder
    let workload: Workload
    let secrets: [String: String]
    /// The volumes with data that are not made again.
    var volumesMade: Set<String> = []

    /// Whom the service runs as, and whether that is another user than the supervisor.
    func account() throws -> (account: ServiceAccount, switches: Bool) {
        guard let user = workload.user else { return (ServiceAccount.current(), false) }
        let wanted = try ServiceAccount.named(user)
        guard geteuid() == 0, wanted.uid != 0 else { return (ServiceAccount.current(), false) }
        return (wanted, true)
    }

    func environment() throws -> ServiceEnvironment {
        ServiceEnvironment(folder: folder, workload: workload, secrets: secrets, account: try account().account)
    }

    func checkPorts() throws {
        for port in workload.ports {
            if let obstacle = PortCheck.obstacle(port.number) { throw RuntimeError(.invalidWorkload, obstacle) }
        }
    }

    /// Makes the folders of volumes; ephemeral ones are emptied when a generation starts.
    func prepareVolumes(isNewGeneration: Bool) throws {
        let (account, switches) = try account()
        for volume in workload.volumes {
            guard volume.kind != .host else {
                var status = stat()
                guard stat(volume.mountPath, &status) == 0 else {
                    throw RuntimeError(
                        .invalidWorkload, "volume \(volume.name): there is no \(volume.mountPath) on this machine")
                }
                continue
            }
            let path = folder.volume(volume.name, of: workload.service)
            var status = stat()
            if volume.kind == .pvc, volume.mustExist || volumesMade.contains(volume.name), stat(path, &status) != 0 {
                throw RuntimeError(
                    .volumeMissing, "the volume \(volume.name) and the data in it are gone: there is no \(path)")
            }
            if volume.kind == .ephemeral, isNewGeneration { try FolderRemoval.remove(path) }
            try SmallFile.createFolder(folder.volumes, mode: 0o711)
            try SmallFile.createFolder("\(folder.volumes)/\(workload.service)", mode: 0o711)
            if stat(path, &status) != 0 { try SmallFile.createFolder(path, mode: 0o700) }
            guard switches else { continue }
            if stat(path, &status) == 0, status.st_uid != account.uid { try VolumeOwner.give(path, to: account) }
            if let closed = account.firstClosedFolder(to: path) {
                throw RuntimeError(
                    .invalidWorkload, "user \(account.name) cannot reach its volume \(path): \(closed) is closed to it",
                    hint: "chmod o+x \(closed)")
            }
        }
    }

    /// A program to start in the service's folder, user and environment.
    func spawn(
        _ command: [String], _ purpose: ProcessMark.Purpose, extra: [String: String] = [:], input: Int32,
        output: Int32, error: Int32
    ) throws -> Spawn {
        let (account, switches) = try account()
        let variables = try environment().variables(purpose, extra: extra)
        try checkWorkdir(account)
        let path = variables["PATH"] ?? ServiceEnvironment.defaultPath
        guard let word = command.first,
            let program = ProgramPath.find(word, workdir: workload.workdir, searchPath: path)
        else {
            let word = command.first ?? ""
            let file = word.hasPrefix("/") ? word : "\(workload.workdir)/\(word)"
            if word.contains("/"), access(file, F_OK) == 0 {
                throw RuntimeError(.programNotRunnable, "no program that can be run: `\(word)` (chmod +x?)")
            }
            let place = word.contains("/") ? "in \(workload.workdir)" : "in PATH (\(path))"
            throw RuntimeError(.programNotFound, "no such program: `\(word)` \(place)")
        }
        return Spawn(
            program: program, arguments: command, environment: variables, workdir: workload.workdir,
            account: switches ? account : nil, input: input, output: output, error: error)
    }

    private func checkWorkdir(_ account: ServiceAccount) throws {
        var status = stat()
        guard stat(workload.workdir, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw RuntimeError(.invalidWorkload, "no such folder: \(workload.workdir) (workdir)")
        }
        if let closed = account.firstClosedFolder(to: workload.workdir) {
            throw RuntimeError(
                .invalidWorkload,
                "user \(account.name) cannot enter \(workload.workdir) (workdir): \(closed) is closed to it",
                hint: "chmod o+x \(closed)")
        }
    }

    /// A spawn's failure in words.
    func describe(_ failure: Spawn.Failure, _ spawn: Spawn) -> String {
        func text(_ code: Int32) -> String { String(cString: strerror(code)) }
        switch failure {
        case .exec(let code): return "cannot run \(spawn.program): \(text(code))"
        case .workdir(let code): return "cannot enter \(workload.workdir) (workdir): \(text(code))"
        case .user(let code): return "cannot become user \(workload.user ?? ""): \(text(code))"
        case .resources(let code): return "cannot start a process: \(text(code))"
        }
    }
}
