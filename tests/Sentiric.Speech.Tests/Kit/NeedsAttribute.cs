using System.ComponentModel;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Sentiric.Speech.Tests.Kit;

/// <summary>Says on a class or a method what its tests need; without it they are skipped and say so.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class NeedsAttribute(Need need) : Attribute
{
    public Need Need { get; } = need;
}

/// <summary>A fact that looks at <see cref="NeedsAttribute"/> of its method and of the class that runs it, so contract suites can be shared.</summary>
[XunitTestCaseDiscoverer("Sentiric.Speech.Tests.Kit.SpeechFactDiscoverer", "Sentiric.Speech.Tests")]
public sealed class SpeechFactAttribute : FactAttribute;

public sealed class SpeechFactDiscoverer(IMessageSink sink) : IXunitTestCaseDiscoverer
{
    public IEnumerable<IXunitTestCase> Discover(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        [new SpeechTestCase(sink, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod)];
}

public sealed class SpeechTestCase : XunitTestCase
{
    [EditorBrowsable(EditorBrowsableState.Never)]
    [Obsolete("Called by the deserialiser of the test runner.")]
    public SpeechTestCase()
    {
    }

    public SpeechTestCase(IMessageSink sink, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method)
        : base(sink, display, options, method)
    {
    }

    protected override string GetSkipReason(IAttributeInfo factAttribute)
    {
        var needs = TestMethod.TestClass.Class.GetCustomAttributes(typeof(NeedsAttribute))
            .Concat(TestMethod.Method.GetCustomAttributes(typeof(NeedsAttribute)))
            .Aggregate(Need.None, (all, attribute) => all | attribute.GetNamedArgument<Need>(nameof(NeedsAttribute.Need)));
        return SpeechFiles.Missing(needs) ?? base.GetSkipReason(factAttribute);
    }
}
