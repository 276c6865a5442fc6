/// Keys of a Compose service that have no counterpart, with the reason.
enum ComposeKeys {
    /// What is hardly missed.
    static let leftOut: [String: String] = [
        "annotations": "a Blueprint has no labels of services",
        "attach": "logs are always kept",
        "blkio_config": "limits of this kind are the platform's",
        "cgroup": "the platform's", "cgroup_parent": "the platform's",
        "container_name": "services are found by their own names",
        "cpu_count": "limits of this kind are the platform's", "cpu_percent": "limits of this kind are the platform's",
        "cpu_period": "limits of this kind are the platform's", "cpu_quota": "limits of this kind are the platform's",
        "cpu_rt_period": "limits of this kind are the platform's",
        "cpu_rt_runtime": "limits of this kind are the platform's",
        "cpu_shares": "limits of this kind are the platform's", "cpuset": "limits of this kind are the platform's",
        "develop": "use the service's `build` and `command` for work on it",
        "domainname": "services are found by their own names",
        "hostname": "services are found by their own names",
        "init": "MicroStax ends all that a service started",
        "isolation": "the platform's",
        "label_file": "a Blueprint has no labels of services", "labels": "a Blueprint has no labels of services",
        "logging": "logs are kept and shown by `microstax env logs`",
        "mac_address": "the platform's",
        "mem_swappiness": "limits of this kind are the platform's",
        "memswap_limit": "limits of this kind are the platform's",
        "networks": "every service of an environment can reach every other one",
        "oom_kill_disable": "limits of this kind are the platform's",
        "oom_score_adj": "limits of this kind are the platform's",
        "pids_limit": "limits of this kind are the platform's",
        "platform": "the image's own counts", "pull_policy": "the platform's",
        "shm_size": "limits of this kind are the platform's",
        "stdin_open": "use `microstax env exec`", "tty": "use `microstax env exec`",
        "storage_opt": "the platform's", "version": "",
    ]

    /// What the service may not work without.
    static let attention: [String: String] = [
        "cap_add": "rights of the kernel cannot be given", "cap_drop": "rights of the kernel cannot be taken",
        "configs": "files cannot be given to a service; use `env` or `secrets`",
        "credential_spec": "not known to Blueprints", "device_cgroup_rules": "devices cannot be given",
        "devices": "devices cannot be given", "dns": "names are resolved as the machine does it",
        "dns_opt": "names are resolved as the machine does it",
        "dns_search": "names are resolved as the machine does it",
        "external_links": "use `uses` for services of other environments",
        "extra_hosts": "names are resolved as the machine does it", "gpus": "devices cannot be given",
        "group_add": "groups cannot be given", "models": "not known to Blueprints",
        "post_start": "use `init` for what is done once", "pre_stop": "the service gets `stopSignal`",
        "privileged": "rights of the kernel cannot be given", "provider": "not known to Blueprints",
        "read_only": "its files can be written", "runtime": "the platform chooses what runs it",
        "security_opt": "rights of the kernel cannot be given",
        "sysctls": "settings of the kernel cannot be given", "ulimits": "limits of this kind are the platform's",
        "userns_mode": "rights of the kernel cannot be given", "uts": "rights of the kernel cannot be given",
    ]
}
