"""The stdlib-only world: builds environments, supervises one fresh process per task.

At this level is the runner itself, from its command line to the verdict on a task; `environments` prepares what a task
runs on, `child` is the process that it runs in, and neither knows the other.

Runs under any CPython >= 3.11 that has no site-packages, as a folder, a zipapp or inside bundlekit. So every import in
here is relative or from the standard library; a test reads the syntax trees and holds that line.
"""
