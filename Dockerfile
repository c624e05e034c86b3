# One image for every role: `--roles gateway`, `--roles sip` ... in docker-compose.yml; all of them when none is named.

# The native speech library and the voice activity model, one file out of each npm package (sums as in scripts/setup.sh).
FROM node:20-slim AS natives
WORKDIR /natives
RUN npm pack --silent sherpa-onnx-linux-x64@1.13.8 @ricky0123/vad-web@0.0.31 \
 && mkdir sherpa vad \
 && tar -xzf sherpa-onnx-linux-x64-1.13.8.tgz -C sherpa \
 && tar -xzf ricky0123-vad-web-0.0.31.tgz -C vad \
 && mv sherpa/package/libonnxruntime.so libonnxruntime.so \
 && mv vad/package/dist/silero_vad_v5.onnx silero_vad.onnx \
 && rm -rf sherpa vad ./*.tgz \
 && echo "4b3607aebd1784b26b6f9b20e4bd974c7ab8287043e4d095cb7d2cb40b5e566e  libonnxruntime.so" | sha256sum -c - \
 && echo "2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f  silero_vad.onnx" | sha256sum -c -

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/Apps/Sentiric.Host/Sentiric.Host.csproj -c Release -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
RUN apt-get update \
 && apt-get install -y --no-install-recommends espeak-ng libopus0 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app .
COPY --from=natives /natives /opt/sentiric/native
COPY models /opt/sentiric/models
RUN mkdir -p /var/lib/sentiric/recordings /var/lib/sentiric/audit && chown -R app:app /var/lib/sentiric
ENV Speech__Espeak=/usr/bin/espeak-ng \
    Speech__NativeFolder=/opt/sentiric/native \
    Speech__ModelFolder=/opt/sentiric/models \
    Recording__Folder=/var/lib/sentiric/recordings \
    Audit__KeyFile=/var/lib/sentiric/audit/audit-key.pem \
    Urls=http://0.0.0.0:8080
USER app
EXPOSE 8080
ENTRYPOINT ["dotnet", "Sentiric.Host.dll"]
CMD ["--roles", "gateway,write,read,sip,media,agent,stt,tts"]
