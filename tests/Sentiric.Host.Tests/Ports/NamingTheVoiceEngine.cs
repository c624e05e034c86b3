using System.Runtime.CompilerServices;
using Sentiric.Host.Ports;
using Sentiric.Host.Tests.Kit;
using Sentiric.Speech;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Ports;

public sealed class NamingTheVoiceEngine
{
    [Theory]
    [InlineData("espeak-ng", "espeak-ng")]
    [InlineData("", "")]
    [InlineData("ses\r\nX-Other: 1", "")]
    public async Task An_engine_in_another_process_is_known_by_name_from_its_first_words(string name, string known)
    {
        await using var app = await LoopbackApp.StartAsync(routes => SynthesizerPort.Map(routes, new NamedVoice(name)), Given.WireJson);
        ISpeechSynthesizer voice = new SynthesizerPort(ServiceClients.ClientFor(app.Address, Given.ServiceKey));
        Assert.Equal("", voice.Engine);
        await foreach (var chunk in voice.SynthesizeAsync(new("evet", "tr"), CancellationToken.None))
        {
            Assert.NotEqual(0, chunk.Pcm.Length);
        }

        Assert.Equal(known, voice.Engine);
    }

    private sealed class NamedVoice(string name) : ISpeechSynthesizer
    {
        public string Engine => name;

        public IReadOnlyList<VoiceInfo> Voices => [];

        public async IAsyncEnumerable<AudioChunk> SynthesizeAsync(SynthesisRequest request, [EnumeratorCancellation] CancellationToken cancel)
        {
            await Task.Yield();
            yield return new(new short[request.Text.Length], request.SampleRate);
        }
    }
}
