# Evaluates a podspec as `pod install` does, with React Native's own functions for it and our stand-in for CocoaPods, and prints
# as JSON what it sets, what its patterns match, and which programs it wants to run. None is run; each ends as
# STAND_IN_SYSTEM says: `true`, the default, or `false`.
#
#   ruby evaluate-podspec.rb <podspec> <folder of the Podfile> <folder of react-native>
podspec, ENV['STAND_IN_INSTALLATION_ROOT'], react_native = ARGV

$LOAD_PATH.unshift(File.join(__dir__, 'stand-in/ruby'))
require 'cocoapods'
# Some of its methods are defined twice, of which Ruby would warn.
require File.join(File.expand_path(react_native), 'scripts/react_native_pods.rb')

$commands = []
module Kernel
  def system(*arguments, **)
    $commands << arguments
    ENV['STAND_IN_SYSTEM'] != 'false'
  end

  def `(command)
    raise "the podspec runs #{command}, which is not expected"
  end
end

begin
  specification = Pod.evaluate(File.realpath(podspec))
rescue StandardError, SyntaxError, NoMethodError => e
  # What `pod install` shows of it.
  warn "#{e.class}: #{e.message}"
  exit 1
end
puts JSON.generate({
  attributes: specification.to_hash,
  files: specification.files(File.dirname(File.realpath(podspec))),
  commands: $commands,
  minimum: min_supported_versions
})
