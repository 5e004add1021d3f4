package com.facebook.react.module.model;

public class ReactModuleInfo {}
