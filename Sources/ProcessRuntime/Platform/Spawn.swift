import CPlatform
import Glibc

/// A program to start, every detail decided; see `msx_spawn`.
struct Spawn: Sendable {
    enum Failure: Error, Sendable, Hashable {
        case resources(errno: Int32)
        case user(errno: Int32)
        case workdir(errno: Int32)
        case exec(errno: Int32)
    }

    var program: String
    var arguments: [String]
    var environment: [String: String]
    var workdir: String?
    var account: ServiceAccount?
    var input: Int32
    var output: Int32
    var error: Int32
    /// Becomes descriptor 3.
    var extra: Int32 = -1
    var isDetached = false
    /// Whether `input` is a terminal that becomes the program's controlling terminal.
    var takesTerminal = false

    /// Returns when the program runs. The caller still owns its descriptors.
    ///
    /// - Parameter record: called with the pid before the child becomes the program; where this process is killed before it
    ///   returns, the child never does. Not for one that is detached.
    func start(record: ((pid_t) -> Void)? = nil) throws(Failure) -> pid_t {
        let result = withCStrings(arguments) { argv in
            withCStrings(environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }) { envp in
                program.withCString { program in
                    withOptionalCString(workdir) { workdir in
                        (account?.groups ?? []).withUnsafeBufferPointer { groups in
                            spawn(program, argv, envp, workdir, groups, record)
                        }
                    }
                }
            }
        }
        guard result.stage != Int32(MSX_STAGE_NONE.rawValue) else { return result.pid }
        switch UInt32(result.stage) {
        case MSX_STAGE_USER.rawValue: throw .user(errno: result.error)
        case MSX_STAGE_WORKDIR.rawValue: throw .workdir(errno: result.error)
        case MSX_STAGE_EXEC.rawValue: throw .exec(errno: result.error)
        default: throw .resources(errno: result.error)
        }
    }

    private func spawn(
        _ program: UnsafePointer<CChar>, _ argv: UnsafePointer<UnsafeMutablePointer<CChar>?>,
        _ envp: UnsafePointer<UnsafeMutablePointer<CChar>?>, _ workdir: UnsafePointer<CChar>?,
        _ groups: UnsafeBufferPointer<gid_t>, _ record: ((pid_t) -> Void)?
    ) -> msx_spawn_result {
        var request = msx_spawn_request()
        request.path = program
        request.argv = argv
        request.envp = envp
        request.workdir = workdir
        request.stdin_fd = input
        request.stdout_fd = output
        request.stderr_fd = error
        request.extra_fd = extra
        request.detach = isDetached ? 1 : 0
        request.takes_terminal = takesTerminal ? 1 : 0
        if let account {
            request.set_user = 1
            request.uid = account.uid
            request.gid = account.gid
            request.groups = groups.baseAddress
            request.group_count = groups.count
        }
        var result = msx_spawn_result()
        guard let record else {
            msx_spawn(&request, &result)
            return result
        }
        let recorder = Recorder(record: record)
        request.context = Unmanaged.passUnretained(recorder).toOpaque()
        request.forked = { context, pid in
            // It is the recorder of below, which lives until the call is over.
            Unmanaged<Recorder>.fromOpaque(context!).takeUnretainedValue().record(pid)
        }
        withExtendedLifetime(recorder) { _ = msx_spawn(&request, &result) }
        return result
    }

    private final class Recorder {
        let record: (pid_t) -> Void

        init(record: @escaping (pid_t) -> Void) { self.record = record }
    }

    private func withCStrings<R>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        var pointers = strings.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        pointers.append(nil)
        // An array with at least its final nil has an address.
        return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
    }

    private func withOptionalCString<R>(_ string: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
        guard let string else { return body(nil) }
        return string.withCString { body($0) }
    }
}
